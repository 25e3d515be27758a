use jobrunner_core::{
    Project, ProjectName, SessionId, TokenId, User, UserId,
    lease::{QueueState, Worker},
    page::Page,
    project::Member,
};

use super::{
    Client, NOTHING, NewMember, NewProject, NewToken, NewUser, OwnChange, ProjectChange,
    QueueChange, UserChange, routes, wire::MadeToken,
};
use crate::exit::Failure;

impl Client {
    pub(crate) async fn workers(&self) -> Result<Vec<Worker>, Failure> {
        let page: Page<Worker> = self.get(&routes::WORKERS, &[], &[]).await?;
        Ok(page.items)
    }

    pub(crate) async fn drain(&self, worker: SessionId) -> Result<Worker, Failure> {
        self.post(&routes::DRAIN, &[&worker.to_string()], NOTHING).await
    }

    pub(crate) async fn queues(&self) -> Result<Vec<QueueState>, Failure> {
        let (mut queues, mut after) = (Vec::new(), None::<String>);
        loop {
            let cursor = after.map(|after| ("cursor", after));
            let query: Vec<_> = cursor.into_iter().chain([("limit", "1000".to_owned())]).collect();
            let page: Page<QueueState> = self.get(&routes::QUEUES, &[], &query).await?;
            queues.extend(page.items);
            if page.next_cursor.is_none() {
                return Ok(queues);
            }
            after = page.next_cursor;
        }
    }

    pub(crate) async fn update_queue(
        &self,
        name: &str,
        change: &QueueChange,
    ) -> Result<QueueState, Failure> {
        self.change(&routes::UPDATE_QUEUE, &[name], change).await
    }

    pub(crate) async fn create_user(&self, account: &NewUser) -> Result<User, Failure> {
        self.post(&routes::CREATE_USER, &[], Some(account)).await
    }

    pub(crate) async fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
    ) -> Result<User, Failure> {
        self.change(&routes::UPDATE_USER, &[&id.to_string()], change).await
    }

    pub(crate) async fn create_token(&self, new: &NewToken) -> Result<MadeToken, Failure> {
        self.post(&routes::CREATE_TOKEN, &[], Some(new)).await
    }

    pub(crate) async fn delete_token(&self, id: TokenId) -> Result<(), Failure> {
        self.delete(&routes::DELETE_TOKEN, &[&id.to_string()]).await
    }

    pub(crate) async fn update_me(&self, change: &OwnChange) -> Result<User, Failure> {
        self.change(&routes::UPDATE_ME, &[], change).await
    }

    pub(crate) async fn project(&self, name: &ProjectName) -> Result<Project, Failure> {
        self.get(&routes::PROJECT, &[name.as_str()], &[]).await
    }

    pub(crate) async fn create_project(&self, new: &NewProject) -> Result<Project, Failure> {
        self.post(&routes::CREATE_PROJECT, &[], Some(new)).await
    }

    pub(crate) async fn update_project(
        &self,
        name: &ProjectName,
        change: &ProjectChange,
    ) -> Result<Project, Failure> {
        self.change(&routes::UPDATE_PROJECT, &[name.as_str()], change).await
    }

    pub(crate) async fn delete_project(&self, name: &ProjectName) -> Result<(), Failure> {
        self.delete(&routes::DELETE_PROJECT, &[name.as_str()]).await
    }

    /// All members of a project.
    pub(crate) async fn members(&self, name: &ProjectName) -> Result<Vec<Member>, Failure> {
        let (mut members, mut after) = (Vec::new(), None::<String>);
        loop {
            let cursor = after.map(|after| ("cursor", after));
            let query: Vec<_> = cursor.into_iter().chain([("limit", "1000".to_owned())]).collect();
            let page: Page<Member> = self.get(&routes::MEMBERS, &[name.as_str()], &query).await?;
            members.extend(page.items);
            if page.next_cursor.is_none() {
                return Ok(members);
            }
            after = page.next_cursor;
        }
    }

    pub(crate) async fn set_member(
        &self,
        project: &ProjectName,
        user: &str,
        member: &NewMember,
    ) -> Result<Member, Failure> {
        self.change(&routes::SET_MEMBER, &[project.as_str(), user], member).await
    }

    pub(crate) async fn remove_member(
        &self,
        project: &ProjectName,
        user: &str,
    ) -> Result<(), Failure> {
        self.delete(&routes::REMOVE_MEMBER, &[project.as_str(), user]).await
    }
}
