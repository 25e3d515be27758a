//! Projects, who belongs to them, and what does.

use crate::{
    Batch, Conflict, Error, Job, ProjectName, ProjectRole, Role, Status, UserId,
    batch::{BatchFilter, NameFilter, NewBatch, RerunOnly},
    job::{JobFilter, Order, Reason},
    lease::Pick,
    page::PageRequest,
    project::{Memberships, Project, ProjectUpdate},
    store::{BatchOrder, Deleted},
    testkit::{Fixture, account, new_batch, spec},
    user::Scope,
};

fn named(name: &str) -> ProjectName {
    name.parse().expect("a name")
}

/// Makes a project, whose maintainer is somebody new.
async fn project(fixture: &Fixture, name: &str) -> (ProjectName, UserId) {
    let project = Project {
        name: named(name),
        description: Some("what it is for".to_owned()),
        is_archived: false,
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    let maintainer = somebody(fixture).await;
    fixture.store.create_project(project.clone(), maintainer).await.expect("created");
    let found = fixture.store.project(&project.name).await.expect("an answer");
    assert_eq!(found.as_ref(), Some(&project));
    (project.name, maintainer)
}

async fn somebody(fixture: &Fixture) -> UserId {
    let account = account(&format!("{}@example.com", UserId::new()), Role::Operator);
    let id = account.user.id;
    fixture.store.create_account(account).await.expect("an account");
    id
}

async fn memberships(fixture: &Fixture, user: UserId) -> Vec<(String, ProjectRole)> {
    let of_user: Memberships = fixture.store.memberships(user).await.expect("an answer");
    of_user.iter().map(|known| (known.project.to_string(), known.role)).collect()
}

/// Names belong to one project each, and lists are in their order.
pub async fn projects_are_found_by_their_names(fixture: &Fixture) {
    let store = &fixture.store;
    let (b, maintainer) = project(fixture, "b").await;
    for name in ["c", "a"] {
        project(fixture, name).await;
    }
    let again = store.project(&b).await.expect("an answer").expect("it exists");
    let taken = store.create_project(again, maintainer).await;
    assert!(matches!(taken, Err(Error::Conflict(Conflict::ProjectExists))), "{taken:?}");
    let listed = async |of, after, limit| {
        let found = store.projects(of, after, limit).await.expect("a list");
        found.into_iter().map(|project| project.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(None, None, 2).await, ["a", "b"]);
    assert_eq!(listed(None, Some("b"), 2).await, ["c"]);
    assert_eq!(listed(Some(maintainer), None, 9).await, ["b"]);
    let update = ProjectUpdate { description: Some(None), is_archived: None };
    let updated = store.update_project(&b, update).await.expect("updated");
    assert_eq!(updated.description, None);
    assert_eq!(store.project(&b).await.expect("an answer"), Some(updated));
    let missing = store.update_project(&named("d"), ProjectUpdate::default()).await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
}

/// There is always somebody who sees to the members.
pub async fn p12_members_come_and_go_but_for_the_last_maintainer(fixture: &Fixture) {
    let store = &fixture.store;
    let (name, first) = project(fixture, "web").await;
    let other = somebody(fixture).await;
    let set = async |user, role| store.set_member(&name, user, role).await;
    assert_eq!(memberships(fixture, first).await, [("web".to_owned(), ProjectRole::Maintainer)]);
    assert_eq!(set(other, ProjectRole::Viewer).await.expect("set"), None);
    let before = set(other, ProjectRole::Operator).await.expect("set");
    assert_eq!(before, Some(ProjectRole::Viewer));
    assert_eq!(memberships(fixture, other).await, [("web".to_owned(), ProjectRole::Operator)]);
    for refused in [set(first, ProjectRole::Viewer).await, store.remove_member(&name, first).await]
    {
        let last = matches!(refused, Err(Error::Conflict(Conflict::LastMaintainer)));
        assert!(last, "{refused:?}");
    }
    set(other, ProjectRole::Maintainer).await.expect("set");
    let removed = store.remove_member(&name, first).await.expect("removed");
    assert_eq!(removed, Some(ProjectRole::Maintainer));
    assert_eq!(memberships(fixture, first).await, []);
    assert_eq!(store.remove_member(&name, first).await.expect("nothing is missed"), None);
    assert_eq!(
        store.member_role(&name, other).await.expect("known"),
        Some(ProjectRole::Maintainer)
    );
    let missing = store.set_member(&named("nothing"), other, ProjectRole::Viewer).await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");

    let mut expected = vec![other];
    for _ in 0..4 {
        let user = somebody(fixture).await;
        set(user, ProjectRole::Viewer).await.expect("set");
        expected.push(user);
    }
    expected.sort();
    let (mut found, mut page) = (Vec::new(), PageRequest::first(2));
    loop {
        let part = store.members(&name, page).await.expect("a list");
        found.extend(part.items.iter().map(|member| member.user_id));
        let Some(cursor) = part.next_cursor else { break };
        page = PageRequest::parse(Some(2), Some(&cursor)).expect("a cursor");
    }
    assert_eq!(found, expected);
}

/// What belongs to a project outlives it, to be read; nothing is left of one without anything.
pub async fn a_project_is_archived_for_the_sake_of_what_belongs_to_it(fixture: &Fixture) {
    let store = &fixture.store;
    let (name, maintainer) = project(fixture, "web").await;
    let in_it = crate::JobSpec { project: Some(name.clone()), ..spec("a") };
    let job = fixture.job(maintainer, in_it).await;
    let archive = ProjectUpdate { is_archived: Some(true), ..ProjectUpdate::default() };
    let refused = store.delete_project(&name).await.map(|_| ());
    for refused in [refused, store.update_project(&name, archive).await.map(|_| ())] {
        let is_open = matches!(refused, Err(Error::Conflict(Conflict::ProjectOpen)));
        assert!(is_open, "{refused:?}");
    }
    store.cancel_job(job).await.expect("canceled");
    assert_eq!(store.delete_project(&name).await.expect("archived"), Deleted::Archived);
    assert!(store.project(&name).await.expect("an answer").expect("it exists").is_archived);
    assert_eq!(memberships(fixture, maintainer).await, [("web".to_owned(), ProjectRole::Viewer)]);
    let role = store.member_role(&name, maintainer).await.expect("an answer");
    assert_eq!(role, Some(ProjectRole::Maintainer));
    store.delete_job(job).await.expect("deleted");
    assert_eq!(store.delete_project(&name).await.expect("gone"), Deleted::Gone);
    assert_eq!(store.project(&name).await.expect("an answer"), None);
    assert_eq!(memberships(fixture, maintainer).await, []);
    let missing = store.delete_project(&name).await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
}

/// Jobs of two owners in two projects and in none, which wait, run, passed and failed; some of them
/// members of batches.
async fn things(fixture: &Fixture, owners: [UserId; 2]) -> (Vec<Job>, Vec<Batch>) {
    let store = &fixture.store;
    let hand = fixture.hand().await;
    let projects = [None, Some(named("p")), Some(named("q"))];
    for project in &projects {
        for owner in owners {
            let in_it = |name: &str| crate::JobSpec { project: project.clone(), ..spec(name) };
            let batch = NewBatch { project: project.clone(), ..new_batch("night") };
            let order = BatchOrder { owner, batch, idempotency: None };
            let members = ["a", "b"].map(|name| Ok(in_it(name)));
            store.submit_batch(order, Box::new(members.into_iter())).await.expect("stored");
            for end in [None, Some(None), Some(Some(Reason::ExitCode))] {
                let job = fixture.job(owner, in_it("c")).await;
                let leased =
                    store.claim(hand.session, Pick::Ids(vec![job])).await.expect("a claim");
                if let Some(reason) = end {
                    hand.finish(leased[0].lease, reason).await;
                }
            }
            fixture.job(owner, in_it("d")).await;
        }
    }
    let all = PageRequest::first(1000);
    let jobs = store.jobs(Scope::All, &JobFilter::default(), all).await.expect("jobs").items;
    let batches = store.batches(Scope::All, &BatchFilter::default(), all).await.expect("batches");
    assert_eq!((jobs.len(), batches.items.len()), (36, 6));
    (jobs, batches.items)
}

fn scopes([a, b]: [UserId; 2]) -> Vec<Scope> {
    let (p, q) = (named("p"), named("q"));
    let both = [p.clone(), q.clone(), named("nothing")];
    vec![
        Scope::Nothing,
        Scope::All,
        Scope::Owner(a),
        Scope::of(a, [p.clone()]),
        Scope::of(b, both.clone()),
        Scope::of(UserId::new(), [q.clone()]),
        Scope::Projects([p.clone()].into()),
        Scope::Projects(both.into()),
        Scope::Both(a, [p, q].into()),
    ]
}

/// Whatever else is asked for, in pages of any size, and by every way that leads to a thing.
pub async fn p12_what_is_found_is_in_the_scope_by_owner_or_by_project(fixture: &Fixture) {
    let owners = [UserId::new(), UserId::new()];
    let (jobs, batches) = things(fixture, owners).await;
    let projects = [None, Some(named("p")), Some(named("q"))];
    for scope in scopes(owners) {
        one_by_one(fixture, &scope, &jobs, &batches).await;
        for owner in [None, Some(owners[0]), Some(owners[1])] {
            for project in projects.clone() {
                let filter = JobFilter { owner, project, ..JobFilter::default() };
                lists_of_jobs(fixture, &scope, &filter, &jobs).await;
                lists_of_batches(fixture, &scope, &filter, &batches).await;
            }
        }
        for batch in &batches {
            for order in [Order::Newest, Order::Oldest, Order::Name] {
                let filter = JobFilter { batch: Some(batch.id), order, ..JobFilter::default() };
                let found = fixture.store.jobs(scope.clone(), &filter, PageRequest::first(9)).await;
                let is_seen = scope.contains(batch.owner_id, batch.project.as_ref());
                assert_eq!(found.expect("a list").items.len(), if is_seen { 2 } else { 0 });
            }
        }
    }
}

async fn one_by_one(fixture: &Fixture, scope: &Scope, jobs: &[Job], batches: &[Batch]) {
    let store = &fixture.store;
    for job in jobs {
        let is_seen = scope.contains(job.owner_id, job.spec.project.as_ref());
        let found = store.job(job.id, scope.clone()).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(job).filter(|_| is_seen), "{scope:?}");
    }
    for batch in batches {
        let is_seen = scope.contains(batch.owner_id, batch.project.as_ref());
        let found = store.batch(batch.id, scope.clone()).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(batch).filter(|_| is_seen), "{scope:?}");
        let names = store.batch_names(&[batch.id], scope.clone()).await.expect("names");
        assert_eq!(names.contains_key(&batch.id), is_seen, "{scope:?}");
    }
}

async fn lists_of_jobs(fixture: &Fixture, scope: &Scope, filter: &JobFilter, jobs: &[Job]) {
    let asked = |job: &&Job| {
        let project = job.spec.project.as_ref();
        scope.contains(job.owner_id, project)
            && filter.owner.is_none_or(|owner| owner == job.owner_id)
            && filter.project.as_ref().is_none_or(|name| Some(name) == project)
    };
    for status in [None].into_iter().chain(Status::ALL.map(Some)) {
        for reason in [None, Some(Reason::ExitCode)] {
            for name in [None, Some("c")] {
                let is_shown = |job: &&Job| {
                    asked(job)
                        && status.is_none_or(|status| status == job.status)
                        && reason.is_none_or(|_| job.status == Status::Failed)
                        && name.is_none_or(|name| name == job.spec.name)
                };
                let expected: Vec<_> = jobs.iter().filter(is_shown).map(|job| job.id).collect();
                let name = name.map(str::to_owned);
                let filter = JobFilter { status, reason, name, ..filter.clone() };
                for limit in [3, 100] {
                    let (mut found, mut page) = (Vec::new(), PageRequest::first(limit));
                    loop {
                        let part = fixture.store.jobs(scope.clone(), &filter, page).await;
                        let part = part.expect("a list");
                        found.extend(part.items.iter().map(|job| job.id));
                        let Some(cursor) = part.next_cursor else { break };
                        page = PageRequest::parse(Some(limit), Some(&cursor)).expect("a cursor");
                    }
                    assert_eq!(found, expected, "{scope:?} {filter:?}");
                }
            }
        }
    }
}

async fn lists_of_batches(fixture: &Fixture, scope: &Scope, of: &JobFilter, batches: &[Batch]) {
    let is_shown = |batch: &&Batch| {
        scope.contains(batch.owner_id, batch.project.as_ref())
            && of.owner.is_none_or(|owner| owner == batch.owner_id)
            && of.project.as_ref().is_none_or(|name| Some(name) == batch.project.as_ref())
    };
    let expected: Vec<_> = batches.iter().filter(is_shown).map(|batch| batch.id).collect();
    for name in [None, Some(NameFilter::Exactly("night".to_owned()))] {
        let filter =
            BatchFilter { owner: of.owner, project: of.project.clone(), name, status: None };
        for limit in [1, 100] {
            let (mut found, mut page) = (Vec::new(), PageRequest::first(limit));
            loop {
                let part = fixture.store.batches(scope.clone(), &filter, page).await;
                let part = part.expect("a list");
                found.extend(part.items.iter().map(|batch| batch.id));
                let Some(cursor) = part.next_cursor else { break };
                page = PageRequest::parse(Some(limit), Some(&cursor)).expect("a cursor");
            }
            assert_eq!(found, expected, "{scope:?} {filter:?}");
        }
    }
}

/// Whoever it is that repeats it.
pub async fn a_rerun_belongs_to_the_project_of_what_it_repeats(fixture: &Fixture) {
    let batch = NewBatch { project: Some(named("web")), ..new_batch("night") };
    let order = BatchOrder { owner: UserId::new(), batch, idempotency: None };
    let member = crate::JobSpec { project: Some(named("web")), ..spec("a") };
    let first = fixture.store.submit_batch(order, Box::new([Ok(member)].into_iter())).await;
    let again = fixture.store.rerun_batch(UserId::new(), first.expect("stored").id, RerunOnly::All);
    let again = again.await.expect("repeated");
    let scope = Scope::Projects([named("web")].into());
    let found = fixture.store.batch(again, scope).await.expect("an answer").expect("it is seen");
    assert_eq!(found.project, Some(named("web")));
    assert_eq!(fixture.members(again).await[0].spec.project, Some(named("web")));
}
