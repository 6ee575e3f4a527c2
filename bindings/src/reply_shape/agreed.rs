//! What the replies of several principals have in common: nothing that fewer than so many of them had.

use std::collections::BTreeMap;

use super::place::{Kind, Member, Members, Place};

/// The place that at least `least` of `places`, one of each principal, agree on.
pub(super) fn agreed(places: &[&Place], least: usize) -> Place {
    let is_common = |has: &dyn Fn(&Place) -> bool| places.iter().filter(|place| has(place)).count() >= least;
    if is_common(&|place| place.is_unknown) {
        return Place::unknown();
    }
    let mut common = Place::default();
    for kind in Kind::ALL {
        if is_common(&|place| place.has(kind)) {
            common.add(kind);
        }
    }
    let items: Vec<&Place> = places.iter().filter_map(|place| place.items.as_deref()).collect();
    if items.len() >= least {
        common.items = Some(Box::new(agreed(&items, least)));
    }
    let members: Vec<&Members> = places.iter().filter_map(|place| place.members.as_deref()).collect();
    if members.len() >= least {
        common.members = Some(Box::new(agreed_members(&members, least)));
    }
    common
}

fn agreed_members(all: &[&Members], least: usize) -> Members {
    let objects = all.iter().fold(0_u64, |sum, members| sum.saturating_add(members.objects));
    // What is a record for one of them has no names for anybody.
    if all.iter().any(|members| members.is_record) {
        let folded: Vec<Members> = all.iter().map(|members| folded(members)).collect();
        let rests: Vec<&Place> = folded.iter().filter_map(|members| members.rest.as_ref()).collect();
        let rest = (rests.len() >= least).then(|| agreed(&rests, least));
        return Members { objects, named: BTreeMap::new(), rest, is_record: true };
    }
    let mut by_name: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for (name, member) in all.iter().flat_map(|members| &members.named) {
        by_name.entry(name).or_default().push(member);
    }
    by_name.retain(|_, members| members.len() >= least);
    let common = |members: Vec<&Member>| {
        let places: Vec<&Place> = members.iter().map(|member| &member.place).collect();
        let objects = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.objects));
        Member::new(objects, agreed(&places, least))
    };
    let named = by_name.into_iter().map(|(name, members)| (name.to_owned(), common(members))).collect();
    let rests: Vec<&Place> = all.iter().filter_map(|members| members.rest.as_ref()).collect();
    let rest = (rests.len() >= least).then(|| agreed(&rests, least));
    Members { objects, named, rest, is_record: false }
}

fn folded(members: &Members) -> Members {
    let mut folded = members.clone();
    folded.fold();
    folded
}
