use uuid::Uuid;

use crate::{UserId, authz::Scope};

/// Whose rows a statement may see: `?` is bound to null for everybody's.
pub(super) enum Owner {
    Nobody,
    One(Uuid),
    Anybody,
}

impl Owner {
    pub(super) fn new(scope: Scope, wanted: Option<UserId>) -> Self {
        match (scope, wanted) {
            (Scope::Nothing, _) => Self::Nobody,
            (Scope::All, None) => Self::Anybody,
            (Scope::All, Some(owner)) => Self::One(owner.as_uuid()),
            (Scope::Owner(owner), wanted) if wanted.is_none_or(|other| other == owner) => {
                Self::One(owner.as_uuid())
            }
            (Scope::Owner(_), _) => Self::Nobody,
        }
    }

    pub(super) fn id(&self) -> Option<Uuid> {
        match self {
            Self::One(id) => Some(*id),
            Self::Nobody | Self::Anybody => None,
        }
    }
}
