//! The audit.

use serde_json::{Map, json};

use crate::{
    UserId,
    audit::{AuditAction, AuditEvent, AuditFilter, TargetType},
    page::PageRequest,
    testkit::{Fixture, audit_event},
};

fn event(actor: Option<UserId>, action: AuditAction, target: Option<&str>) -> AuditEvent {
    AuditEvent {
        actor_id: actor,
        actor_email: actor.map(|_| "a@example.com".to_owned()),
        action,
        target_type: target.map(|_| TargetType::Queue),
        target_id: target.map(str::to_owned),
        target_name: target.map(|_| "a name".to_owned()),
        details: Map::from_iter([("text".to_owned(), json!("ünï \"quoted\" \n"))]),
        ..audit_event()
    }
}

/// As they were recorded, newest first, in pages, by who, what and on what.
pub async fn events_are_found_as_they_were_recorded(fixture: &Fixture) {
    let (one, other) = (UserId::new(), UserId::new());
    let events = [
        event(None, AuditAction::SignInFailed, None),
        event(Some(one), AuditAction::SignIn, None),
        event(Some(one), AuditAction::UpdateQueue, Some("nightly")),
        event(Some(other), AuditAction::UpdateQueue, Some("nightly")),
        event(Some(one), AuditAction::UpdateQueue, Some("other")),
        event(Some(one), AuditAction::CancelBatch, Some("nightly")),
    ];
    for event in &events {
        fixture.store.record(event.clone()).await.expect("recorded");
    }
    let found = async |filter: AuditFilter| {
        let page = fixture.store.audit_events(&filter, PageRequest::first(10)).await;
        page.expect("a list").items
    };
    let those = |places: &[usize]| places.iter().map(|n| events[*n].clone()).collect::<Vec<_>>();
    let (actor, action) = (Some(one), Some(AuditAction::UpdateQueue));
    let target = Some("nightly".to_owned());
    let none = AuditFilter::default;
    assert_eq!(found(none()).await, those(&[5, 4, 3, 2, 1, 0]));
    assert_eq!(found(AuditFilter { actor, ..none() }).await, those(&[5, 4, 2, 1]));
    assert_eq!(found(AuditFilter { action, ..none() }).await, those(&[4, 3, 2]));
    assert_eq!(found(AuditFilter { target: target.clone(), ..none() }).await, those(&[5, 3, 2]));
    assert_eq!(found(AuditFilter { actor, action, ..none() }).await, those(&[4, 2]));
    let all = AuditFilter { actor, action, target };
    assert_eq!(found(all).await, those(&[2]));

    let first = PageRequest::first(4);
    let page = fixture.store.audit_events(&none(), first).await.expect("a list");
    assert_eq!(page.items, those(&[5, 4, 3, 2]));
    let next = PageRequest::parse(Some(4), page.next_cursor.as_deref()).expect("a cursor");
    let page = fixture.store.audit_events(&none(), next).await.expect("a list");
    assert_eq!((page.items, page.next_cursor), (those(&[1, 0]), None));
}
