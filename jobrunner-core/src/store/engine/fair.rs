//! Whose job is next: weighted fair queueing over owners, and within each over lanes.
//!
//! Each job that an owner gets moves its virtual time on by one step, 1/weight, and the owner with
//! the least virtual time is served next; so owners get turns in proportion to their weights,
//! however many queues they use. In the same way the lanes of one owner share its turns by the
//! weights of their queues. Who was idle would have a claim to all the turns it did not use. It is
//! therefore taken to be no further behind the most advanced of those that are active than one step
//! of the slowest, which is as far apart as those that are always active get; the statements that
//! find whose turn it is do that. (Start-time fair queueing after P. Goyal, H. Vin and H. Cheng,
//! 1996, with the bound in place of the system's virtual time.)

use std::collections::HashMap;

use uuid::Uuid;

/// Somebody who has claimable jobs.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Whose turns they are.
    pub id: Uuid,
    /// Its virtual time.
    pub vtime: f64,
    /// Its weight among the owners, above 0.
    pub weight: f64,
    /// How many more jobs it may have running; `None` is any number.
    pub allowance: Option<i64>,
}

/// An owner's place in a queue.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Which lane, as the store names it.
    pub id: i64,
    /// Whose jobs wait in it.
    pub owner: Uuid,
    /// Its virtual time among the lanes of its owner.
    pub vtime: f64,
    /// The weight of its queue, above 0.
    pub weight: f64,
    /// Whether its owner has others that may have jobs: else its virtual time does not matter.
    pub is_one_of_several: bool,
    /// Its next jobs, first one first.
    pub heads: Vec<Uuid>,
}

/// How many lanes of an owner a claim looks at.
pub const LANES: usize = 8;

/// How many jobs of each of so many lanes to look at for `want` turns: as many as a lane could get,
/// and fewer of each when there are many lanes. What that leaves over another claim gets.
#[must_use]
pub fn heads_of_each(want: usize, lanes: usize) -> usize {
    (want * LANES / lanes.max(1)).clamp(1, want.max(1))
}

/// Whether there may be more than what was looked at for `want` turns: in these lanes, or in others
/// of their owners.
#[must_use]
pub fn may_have_more(lanes: &[Lane], want: usize) -> bool {
    let each = heads_of_each(want, lanes.len());
    let of_owner = |owner: Uuid| lanes.iter().filter(|lane| lane.owner == owner).count();
    lanes.iter().any(|lane| lane.heads.len() >= each || of_owner(lane.owner) >= LANES)
}

/// Hands out up to `want` turns, and moves the virtual times on with every turn. Lanes whose owner
/// is not among `owners` get none.
pub fn share(owners: &mut [Owner], lanes: &mut [Lane], want: usize) -> Vec<Uuid> {
    let places: HashMap<Uuid, usize> =
        owners.iter().enumerate().map(|(place, owner)| (owner.id, place)).collect();
    let mut lanes_of = vec![Vec::new(); owners.len()];
    for (place, lane) in lanes.iter().enumerate() {
        if let Some(owner) = places.get(&lane.owner) {
            lanes_of[*owner].push(place);
        }
    }
    let mut taken = vec![0; lanes.len()];
    let mut chosen = Vec::with_capacity(want);
    while chosen.len() < want {
        let next_of = |owner: usize| {
            let has_jobs = |lane: &&usize| taken[**lane] < lanes[**lane].heads.len();
            let waiting = lanes_of[owner].iter().filter(has_jobs);
            waiting.copied().min_by(|&a, &b| lanes[a].vtime.total_cmp(&lanes[b].vtime))
        };
        let next = (0..owners.len())
            .filter(|&owner| owners[owner].allowance.is_none_or(|left| left > 0))
            .filter_map(|owner| Some((owner, next_of(owner)?)))
            .min_by(|(a, _), (b, _)| owners[*a].vtime.total_cmp(&owners[*b].vtime));
        let Some((owner, lane)) = next else { break };
        chosen.push(lanes[lane].heads[taken[lane]]);
        taken[lane] += 1;
        lanes[lane].vtime += 1.0 / lanes[lane].weight;
        owners[owner].vtime += 1.0 / owners[owner].weight;
        if let Some(left) = &mut owners[owner].allowance {
            *left -= 1;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(id: u128, vtime: f64, weight: f64) -> Owner {
        Owner { id: Uuid::from_u128(id), vtime, weight, allowance: None }
    }

    /// A lane with plenty of jobs.
    fn lane(id: i64, owner: u128, weight: f64) -> Lane {
        let heads = (0..100).map(|n| Uuid::from_u64_pair(id.unsigned_abs(), n)).collect();
        let owner = Uuid::from_u128(owner);
        Lane { id, owner, vtime: 0.0, weight, is_one_of_several: true, heads }
    }

    /// How many of `want` turns each lane gets.
    fn turns(mut owners: Vec<Owner>, mut lanes: Vec<Lane>, want: usize) -> Vec<usize> {
        let chosen = share(&mut owners, &mut lanes, want);
        let of = |lane: &Lane| chosen.iter().filter(|job| lane.heads.contains(job)).count();
        lanes.iter().map(of).collect()
    }

    #[test]
    fn p11_owners_get_turns_in_proportion_to_their_weights_however_many_lanes_they_have() {
        let owners = vec![owner(1, 0.0, 1.0), owner(2, 0.0, 2.0), owner(3, 0.0, 1.0)];
        let mut lanes = vec![lane(1, 1, 1.0), lane(2, 2, 1.0)];
        lanes.extend((3..23).map(|id| lane(id, 3, 1.0)));
        let turns = turns(owners, lanes, 40);
        assert_eq!((turns[0], turns[1], turns[2..].iter().sum()), (10, 20, 10));
    }

    #[test]
    fn p11_the_lanes_of_an_owner_share_its_turns_by_the_weights_of_their_queues() {
        let owners = vec![owner(1, 0.0, 1.0), owner(2, 0.0, 1.0)];
        let lanes = vec![lane(1, 1, 3.0), lane(2, 1, 1.0), lane(3, 2, 1.0)];
        assert_eq!(turns(owners, lanes, 40), [15, 5, 20]);
    }

    #[test]
    fn p11_who_is_a_step_behind_is_a_turn_ahead() {
        let owners = vec![owner(1, 4999.0, 1.0), owner(2, 5000.0, 1.0)];
        assert_eq!(turns(owners, vec![lane(1, 1, 1.0), lane(2, 2, 1.0)], 21), [11, 10]);
    }

    #[test]
    fn an_owner_at_the_limit_leaves_the_turns_to_others() {
        let owners = vec![Owner { allowance: Some(2), ..owner(1, 0.0, 1.0) }, owner(2, 0.0, 1.0)];
        let lanes = vec![lane(1, 1, 1.0), lane(2, 1, 1.0), lane(3, 2, 1.0)];
        assert_eq!(turns(owners, lanes, 10), [1, 1, 8]);
    }
}
