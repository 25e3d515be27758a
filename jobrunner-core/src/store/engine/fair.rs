//! Whose job is next: weighted fair queueing over lanes.
//!
//! Each job that a lane gets moves its virtual time on by one step, 1/weight, and the lane with the
//! least virtual time is served next; so the lanes get turns in proportion to their weights. A lane
//! that was idle would have a claim to all the turns it did not use. It is therefore taken to be no
//! further behind the most advanced active lane than one step of the slowest lane, which is as far
//! apart as lanes that are always active get. (Start-time fair queueing after P. Goyal, H. Vin and
//! H. Cheng, 1996, with the bound in place of the system's virtual time.)

use std::collections::HashMap;

use uuid::Uuid;

/// A lane that has claimable jobs.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Which lane, as the store names it.
    pub id: i64,
    /// Whose jobs wait in it.
    pub owner: Uuid,
    /// Its virtual time.
    pub vtime: f64,
    /// The weight of its queue, above 0.
    pub weight: f64,
    /// How many more jobs its owner may have running, over all lanes; `None` is any number.
    pub allowance: Option<i64>,
}

impl Lane {
    fn step(&self) -> f64 {
        1.0 / self.weight
    }
}

/// Brings idle lanes forward and sorts the lanes in the order of their next turn.
pub fn order(lanes: &mut [Lane]) {
    let most = lanes.iter().map(|lane| lane.vtime).fold(0.0, f64::max);
    let slowest = lanes.iter().map(Lane::step).fold(0.0, f64::max);
    for lane in lanes.iter_mut() {
        lane.vtime = lane.vtime.max(most - slowest);
    }
    lanes.sort_by(|a, b| a.vtime.total_cmp(&b.vtime).then(a.id.cmp(&b.id)));
}

/// Hands out up to `want` turns. `heads[i]` are the next jobs of `lanes[i]`, first one first; the
/// virtual times move on with every turn.
pub fn share(lanes: &mut [Lane], heads: &[Vec<Uuid>], want: usize) -> Vec<Uuid> {
    let mut left: HashMap<Uuid, i64> = HashMap::new();
    for lane in lanes.iter() {
        if let Some(allowance) = lane.allowance {
            left.insert(lane.owner, allowance);
        }
    }
    let mut taken = vec![0; lanes.len()];
    let mut chosen = Vec::with_capacity(want);
    while chosen.len() < want {
        let next = (0..lanes.len())
            .filter(|&i| taken[i] < heads[i].len())
            .filter(|&i| left.get(&lanes[i].owner).is_none_or(|allowance| *allowance > 0))
            .min_by(|&a, &b| lanes[a].vtime.total_cmp(&lanes[b].vtime));
        let Some(next) = next else { break };
        chosen.push(heads[next][taken[next]]);
        taken[next] += 1;
        lanes[next].vtime += lanes[next].step();
        if let Some(allowance) = left.get_mut(&lanes[next].owner) {
            *allowance -= 1;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(id: i64, vtime: f64, weight: f64) -> Lane {
        Lane {
            id,
            owner: Uuid::from_u128(id.unsigned_abs().into()),
            vtime,
            weight,
            allowance: None,
        }
    }

    /// How many of `want` turns each lane gets when all have plenty of jobs.
    fn turns(mut lanes: Vec<Lane>, want: usize) -> Vec<usize> {
        order(&mut lanes);
        let job = |lane: &Lane, n: usize| Uuid::from_u64_pair(lane.id.unsigned_abs(), n as u64);
        let heads: Vec<Vec<Uuid>> =
            lanes.iter().map(|lane| (0..want).map(|n| job(lane, n)).collect()).collect();
        let chosen = share(&mut lanes, &heads, want);
        lanes.sort_by_key(|lane| lane.id);
        let of = |lane: &Lane| {
            chosen.iter().filter(|job| job.as_u64_pair().0 == lane.id.unsigned_abs()).count()
        };
        lanes.iter().map(of).collect()
    }

    #[test]
    fn p11_lanes_get_turns_in_proportion_to_their_weights() {
        let lanes = vec![lane(1, 0.0, 1.0), lane(2, 0.0, 2.0), lane(3, 0.0, 1.0)];
        assert_eq!(turns(lanes, 40), [10, 20, 10]);
    }

    #[test]
    fn p11_neither_a_long_rest_nor_a_busy_past_counts() {
        let lanes = vec![lane(1, 0.0, 1.0), lane(2, 5000.0, 1.0)];
        // The one that rested is a step behind the other: that is one turn more, not 5,000.
        assert_eq!(turns(lanes, 20), [11, 9]);
    }

    #[test]
    fn an_owner_at_the_limit_leaves_the_turns_to_others() {
        let limited = Lane { allowance: Some(2), ..lane(1, 0.0, 1.0) };
        let elsewhere = Lane { id: 2, ..limited.clone() };
        assert_eq!(turns(vec![limited, elsewhere, lane(3, 0.0, 1.0)], 10), [1, 1, 8]);
    }
}
