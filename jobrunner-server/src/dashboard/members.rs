//! The members of a batch as they are shown when nobody asks for another order: failed ones first.

use jobrunner_core::{
    Job, Principal, Service, Status, Violation,
    job::JobFilter,
    page::{Page, PageRequest},
};

use crate::api::problem::Failure;

/// The order: what asks for somebody's attention comes first.
const ORDER: [Status; 5] =
    [Status::Failed, Status::Running, Status::Waiting, Status::Canceled, Status::Passed];

/// A page of the members that the filter lets through, whatever their status: the lists of
/// [`ORDER`] one after the other, each newest first. So it costs what a page of each costs, however
/// many members there are. A cursor is the status of a list, and the list's own cursor behind it.
///
/// A job that gets another status between two pages may be on both, or on neither.
pub(super) async fn failed_first(
    service: &Service,
    caller: &Principal,
    filter: &JobFilter,
    limit: u32,
    cursor: Option<&str>,
) -> Result<Page<Job>, Failure> {
    let (mut of, mut within) = match cursor {
        None => (0, None),
        Some(cursor) => read(cursor)?,
    };
    let mut items = Vec::new();
    while let Some(status) = ORDER.get(of) {
        let left = limit.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
        let at = |cursor: &str| format!("{status}{SEPARATOR}{cursor}");
        if left == 0 {
            return Ok(Page {
                items,
                next_cursor: Some(at(within.as_deref().unwrap_or_default())),
            });
        }
        let page = PageRequest::parse(Some(left), within.as_deref())?;
        let filter = JobFilter { status: Some(*status), ..filter.clone() };
        let found = service.members(caller, filter, page).await?;
        items.extend(found.items);
        within = found.next_cursor;
        if let Some(cursor) = &within {
            return Ok(Page { items, next_cursor: Some(at(cursor)) });
        }
        of += 1;
    }
    Ok(Page { items, next_cursor: None })
}

const SEPARATOR: char = '.';

/// The list that a cursor is of, by its place, and where in it.
fn read(cursor: &str) -> Result<(usize, Option<String>), Failure> {
    let parts = cursor.split_once(SEPARATOR).and_then(|(status, cursor)| {
        let place = ORDER.iter().position(|it| it.as_str() == status)?;
        Some((place, Some(cursor.to_owned()).filter(|cursor| !cursor.is_empty())))
    });
    let wrong = "must be that of the page before, unchanged";
    parts.ok_or_else(|| Violation::new("cursor", wrong).into())
}
