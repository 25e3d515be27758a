use jobrunner_core::{
    Service, UserId,
    audit::{AuditAction, AuditFilter},
};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Query};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Result},
        page::page,
    },
    model,
};

pub(crate) struct AuditApi;

#[OpenApi(tag = "Tag::Audit")]
impl AuditApi {
    /// Who asked for what
    ///
    /// An event is stored before what it tells of is done, and is never changed or deleted. Submissions are
    /// told by the jobs and batches themselves. For admins.
    #[oai(path = "/audit-events", method = "get", operation_id = "list_audit_events")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the query")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// Only what this account asked for.
        actor_id: Query<Option<Uuid>>,
        /// Only what was asked for so.
        action: Query<Option<model::AuditAction>>,
        /// Only what was done to the thing with this id; a queue's is its name.
        target_id: Query<Option<String>>,
        /// How many items at most: 1 to 1000.
        #[oai(default = "super::http::page::default_limit")]
        limit: Query<u32>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Answer<model::AuditEventPage>> {
        let filter = AuditFilter {
            actor: actor_id.0.map(UserId::from),
            action: action.0.map(AuditAction::from),
            target: target_id.0,
        };
        Answer::of(&service.audit_events(&caller, &filter, page(limit.0, cursor.0)?).await?)
    }
}
