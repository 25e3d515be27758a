use jobrunner_core::{Service, UserId, audit::AuditFilter};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Query};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Result},
        page::{Cursor, Limit, page},
        parameter::{Given, Text},
    },
    model,
};

pub(crate) struct AuditApi;

#[OpenApi(tag = "Tag::Audit")]
impl AuditApi {
    /// Who asked for what
    ///
    /// An event is stored before what it tells of is done, and is never changed or deleted.
    /// Submissions are told by the jobs and batches themselves. For admins.
    #[oai(path = "/audit-events", method = "get", operation_id = "list_audit_events")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the query")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// Only what this account asked for.
        actor_id: Query<Option<Uuid>>,
        /// Only what was asked for so.
        action: Query<Option<Given<model::AuditAction>>>,
        /// Only what was done to the thing with this id; a queue's is its name.
        target_id: Query<Option<Given<Text>>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::AuditEvent>>> {
        let filter = AuditFilter {
            actor: actor_id.0.map(UserId::from),
            action: action.0.map(|action| action.0.into()),
            target: target_id.0.map(|target| target.0.0),
        };
        Answer::of(service.audit_events(&caller, &filter, page(limit, cursor)?).await?)
    }
}
