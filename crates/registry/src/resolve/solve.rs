//! Choosing: newest first, back when it does not fit, within a bound.
//!
//! What is asked for by name is chosen before what is only needed, and a skill before those that it needs. So the newest of
//! what people use decides, and what lies below adapts.

use std::collections::{BTreeMap, BTreeSet};

use kontor_types::SkillId;

use super::Want;
use super::universe::{Need, Universe, Version};

/// Which of its versions each skill gets.
pub(super) type Chosen = BTreeMap<SkillId, usize>;

/// A version by its skill and place.
pub(super) type Place = (SkillId, usize);

/// Most versions that are tried before the question counts as too hard.
const TRIES: usize = 20_000;

/// Somebody wants something of a skill's versions.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    /// Who, and through whom they are needed themselves, from what was asked for; empty when it was asked for by name.
    pub path: Vec<Place>,
    pub want: Want,
}

/// Why there is no choice; the first reason on the way that prefers the newest.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// No version suits everybody.
    Conflict { skill: SkillId, demands: Vec<Demand> },
    /// A skill that is needed is not there.
    Missing { path: Vec<Place>, need: Box<Need> },
    /// Skills need each other in a circle: the way from what was asked for, which comes back to a skill on it.
    Circle { path: Vec<Place>, back_to: SkillId },
    /// Too many combinations.
    TooHard,
}

/// One version of every skill that is wanted or needed.
pub(super) fn solve(universe: &Universe) -> Result<Chosen, Failure> {
    let ranks = ranks(universe);
    let mut search = Search { universe, ranks, chosen: Chosen::new(), demands: Vec::new(), tries: 0, failure: None };
    for (skill, want) in universe.wanted() {
        search.demands.push((skill, Demand { path: Vec::new(), want: want.clone() }));
    }
    match search.run() {
        Ok(()) => Ok(search.chosen),
        Err(_) => Err(search.failure.unwrap_or(Failure::TooHard)),
    }
}

/// In which order skills are chosen: those asked for by name first, and each before those that any version of it needs.
fn ranks(universe: &Universe) -> BTreeMap<SkillId, (bool, usize)> {
    let mut finished = Vec::new();
    let mut seen = BTreeSet::new();
    let wanted: Vec<SkillId> = universe.wanted().map(|(skill, _)| skill).collect();
    // A skill is finished after everything below it; the last ones go first, so that the order asked for is kept.
    for skill in wanted.iter().rev() {
        let mut waiting = vec![(*skill, false)];
        while let Some((skill, is_below_done)) = waiting.pop() {
            if is_below_done {
                finished.push(skill);
            } else if seen.insert(skill) {
                waiting.push((skill, true));
                waiting.extend(below(universe, skill).into_iter().map(|needed| (needed, false)));
            }
        }
    }
    let place = |(place, skill): (usize, SkillId)| (skill, (!universe.is_wanted(skill), place));
    finished.into_iter().rev().enumerate().map(place).collect()
}

/// What any version of a skill needs, each once, by name.
fn below(universe: &Universe, skill: SkillId) -> Vec<SkillId> {
    let places = 0..universe.versions(skill).len();
    let mut needed: Vec<SkillId> = places.flat_map(|place| universe.needs_of(skill, place)).collect();
    needed.sort_by_cached_key(|needed| universe.name(*needed));
    needed.dedup();
    needed
}

struct Search<'a> {
    universe: &'a Universe,
    /// The order of choosing.
    ranks: BTreeMap<SkillId, (bool, usize)>,
    chosen: Chosen,
    /// In the order in which they arose; what arose later is undone first.
    demands: Vec<(SkillId, Demand)>,
    tries: usize,
    failure: Option<Failure>,
}

impl Search<'_> {
    /// Chooses what is open. When that cannot be, it returns the skills whose choices are to blame: as long as they stay as
    /// they are, nothing else helps, so whoever is not among them need not try another version.
    fn run(&mut self) -> Result<(), BTreeSet<SkillId>> {
        let open = self.demands.iter().map(|(skill, _)| *skill).filter(|skill| !self.chosen.contains_key(skill));
        let Some(skill) = open.min_by_key(|skill| self.ranks.get(skill)) else { return Ok(()) };
        let mut blamed = self.who_demands(skill);
        let mut suited = false;
        for place in 0..self.universe.versions(skill).len() {
            if !self.suits(skill, place) {
                continue;
            }
            suited = true;
            self.tries += 1;
            if self.tries > TRIES {
                self.failure = Some(Failure::TooHard);
                return Err(BTreeSet::new());
            }
            let mark = self.demands.len();
            self.chosen.insert(skill, place);
            let Err(culprits) = self.take_needs((skill, place)).and_then(|()| self.run()) else { return Ok(()) };
            self.demands.truncate(mark);
            self.chosen.remove(&skill);
            if !culprits.contains(&skill) {
                return Err(culprits);
            }
            blamed.extend(culprits);
        }
        if !suited {
            self.note_conflict(skill);
        }
        blamed.remove(&skill);
        Err(blamed)
    }

    /// The skills whose chosen versions need this one.
    fn who_demands(&self, skill: SkillId) -> BTreeSet<SkillId> {
        self.demands_on(skill).filter_map(|demand| demand.path.last()).map(|(by, _)| *by).collect()
    }

    fn suits(&self, skill: SkillId, place: usize) -> bool {
        let Some(version) = self.universe.version(skill, place) else { return false };
        let named = |demand: &Demand| matches!(&demand.want, Want::Exactly(number) if *number == version.number);
        let usable = !version.withdrawn || version.preferred || self.demands_on(skill).any(named);
        usable && self.demands_on(skill).all(|demand| allows(&demand.want, version))
    }

    fn demands_on(&self, skill: SkillId) -> impl Iterator<Item = &Demand> {
        self.demands.iter().filter(move |(wanted, _)| *wanted == skill).map(|(_, demand)| demand)
    }

    /// Adds what a version needs; when that cannot be, the skills to blame.
    fn take_needs(&mut self, by: Place) -> Result<(), BTreeSet<SkillId>> {
        let Some(version) = self.universe.version(by.0, by.1) else { return Err(BTreeSet::from([by.0])) };
        let path = self.path_to(by);
        for need in &version.needs {
            let Some(skill) = need.skill else {
                self.note(Failure::Missing { path, need: Box::new(need.clone()) });
                return Err(BTreeSet::from([by.0]));
            };
            if let Some(mut circle) = self.way(skill, by.0) {
                circle.push(by);
                let culprits = circle.iter().map(|(on, _)| *on).collect();
                let mut path = self.path_to(circle[0]);
                path.extend(&circle[1..]);
                self.note(Failure::Circle { path, back_to: skill });
                return Err(culprits);
            }
            self.demands.push((skill, Demand { path: path.clone(), want: need.want.clone() }));
            if let Some(place) = self.chosen.get(&skill)
                && !self.suits(skill, *place)
            {
                self.note_conflict(skill);
                return Err(BTreeSet::from([by.0, skill]));
            }
        }
        Ok(())
    }

    /// A chosen version and through whom it is needed, what was asked for first.
    fn path_to(&self, by: Place) -> Vec<Place> {
        let mut path = self.demands_on(by.0).next().map(|demand| demand.path.clone()).unwrap_or_default();
        path.push(by);
        path
    }

    /// The chosen versions on a way from one skill to another, without the last.
    fn way(&self, from: SkillId, to: SkillId) -> Option<Vec<Place>> {
        let mut seen = BTreeSet::new();
        let mut ways = vec![(from, Vec::new())];
        while let Some((at, mut way)) = ways.pop() {
            if at == to {
                return Some(way);
            }
            let Some(place) = self.chosen.get(&at).copied().filter(|_| seen.insert(at)) else { continue };
            way.push((at, place));
            ways.extend(self.universe.needs_of(at, place).map(|next| (next, way.clone())));
        }
        None
    }

    fn note_conflict(&mut self, skill: SkillId) {
        let demands = self.demands_on(skill).cloned().collect();
        self.note(Failure::Conflict { skill, demands });
    }

    fn note(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }
}

fn allows(want: &Want, version: &Version) -> bool {
    match want {
        Want::Any => true,
        Want::Exactly(number) | Want::Tagged(_, number) => *number == version.number,
        Want::Within(range) => range.contains(&version.number),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::explain::explain;
    use super::super::universe::World;
    use super::*;

    type Skill<'a> = (&'a str, &'a [(&'a str, &'a [&'a str])]);

    const CHAIN: World<'_> = &[
        ("app", &[("1.0.0", &["lib ^1", "tool *"])]),
        ("lib", &[("1.0.0", &[]), ("1.5.0", &[]), ("2.0.0", &[])]),
        ("tool", &[("0.3.0", &["lib <1.5"]), ("0.2.0", &["lib *"])]),
    ];
    const CIRCLE: World<'_> =
        &[("a", &[("1.0.0", &["b *"])]), ("b", &[("1.0.0", &["c *"])]), ("c", &[("1.0.0", &["a *"])])];
    const BELOW: World<'_> =
        &[("top", &[("1.0.0", &["a *"])]), ("a", &[("1.0.0", &["b *"])]), ("b", &[("1.0.0", &["a *"])])];
    const AROUND: World<'_> = &[("a", &[("2.0.0", &["b *"]), ("1.0.0", &[])]), ("b", &[("1.0.0", &["a *"])])];
    const SPLIT: World<'_> = &[
        ("left", &[("1.0.0", &["lib ^1"])]),
        ("right", &[("1.0.0", &["lib ^2"])]),
        ("lib", &[("1.0.0", &[]), ("2.0.0", &[])]),
        ("top", &[("1.0.0", &["left *", "right *"])]),
    ];
    const YANKED: World<'_> = &[("a", &[("2.0.0!", &[]), ("1.0.0", &[])]), ("b", &[("1.0.0", &["a ^2"])])];
    const PRE: World<'_> = &[("a", &[("2.0.0-rc.1", &[]), ("1.0.0", &[])]), ("only", &[("0.1.0-rc.1", &[])])];
    const GONE: World<'_> = &[("a", &[("1.0.0", &["gone ^1"])]), ("b", &[("1.0.0", &["a *"])])];

    fn solved(world: World<'_>, wanted: &[&str]) -> String {
        let universe = wanted.iter().fold(Universe::of(world), |universe, text| universe.wanting(text));
        match solve(&universe) {
            Ok(chosen) => {
                let shown = chosen.iter().map(|(id, place)| {
                    format!("{} {}", universe.name(*id), universe.version(*id, *place).unwrap().number)
                });
                shown.collect::<Vec<_>>().join(", ")
            }
            Err(failure) => explain(&universe, &failure).to_string(),
        }
    }

    #[rstest]
    #[case::nothing(CHAIN, &[], "")]
    #[case::newest(CHAIN, &["lib"], "@x/lib 2.0.0")]
    #[case::satisfies_everybody(CHAIN, &["app"], "@x/app 1.0.0, @x/lib 1.0.0, @x/tool 0.3.0")]
    #[case::asked_for_by_name_too(CHAIN, &["lib", "app"], "@x/app 1.0.0, @x/lib 1.5.0, @x/tool 0.2.0")]
    #[case::goes_back(CHAIN, &["app", "lib ^1.5"], "@x/app 1.0.0, @x/lib 1.5.0, @x/tool 0.2.0")]
    #[case::exact(CHAIN, &["lib =1.0.0"], "@x/lib 1.0.0")]
    #[case::avoids_a_circle(AROUND, &["a"], "@x/a 1.0.0")]
    #[case::passes_over_withdrawn(YANKED, &["a"], "@x/a 1.0.0")]
    #[case::named_exactly(YANKED, &["a =2.0.0"], "@x/a 2.0.0")]
    #[case::named_exactly_for_all(YANKED, &["a =2.0.0", "b"], "@x/a 2.0.0, @x/b 1.0.0")]
    #[case::two_wishes(CHAIN, &["lib =1.0.0", "lib ^2"], "no version of @x/lib suits everybody: you ask for @x/lib 1.0.0, but you ask for @x/lib ^2; there are 2.0.0, 1.5.0, 1.0.0")]
    #[case::releases_first(PRE, &["a"], "@x/a 1.0.0")]
    #[case::only_prereleases(PRE, &["only"], "@x/only 0.1.0-rc.1")]
    #[case::circle(CIRCLE, &["a"], "skills require each other in a circle: @x/a 1.0.0 → @x/b 1.0.0 → @x/c 1.0.0 → @x/a")]
    #[case::circle_below(BELOW, &["top"], "skills require each other in a circle: @x/top 1.0.0 → @x/a 1.0.0 → @x/b 1.0.0 → @x/a")]
    #[case::conflict(SPLIT, &["top"], "no version of @x/lib suits everybody: @x/top 1.0.0 → @x/left 1.0.0 requires @x/lib ^1, but @x/top 1.0.0 → @x/right 1.0.0 requires @x/lib ^2; there are 2.0.0, 1.0.0")]
    #[case::nobody(YANKED, &["b"], "@x/b 1.0.0 requires @x/a ^2, but there are only 1.0.0")]
    #[case::missing(GONE, &["b"], "@x/b 1.0.0 → @x/a 1.0.0 requires @x/gone ^1, but there is no skill @x/gone")]
    fn questions_and_answers(#[case] world: World<'_>, #[case] wanted: &[&str], #[case] expected: &str) {
        assert_eq!(solved(world, wanted), expected);
        assert_eq!(solved(world, wanted), expected, "the same question has the same answer");
    }

    #[test]
    fn what_fails_by_itself_is_told_whatever_else_there_is_to_choose() {
        let versions: Vec<String> = (0..40).map(|minor| format!("1.{minor}.0")).collect();
        let free: Vec<(&str, &[&str])> = versions.iter().map(|number| (number.as_str(), [].as_slice())).collect();
        let names = ["a", "b", "c", "d", "e", "f"];
        let mut world: Vec<_> = names.iter().map(|name| (*name, free.as_slice())).collect();
        world.push(("z", &[("1.0.0", &["gone *"])]));
        let wanted = [&names[..], &["z"]].concat();
        assert_eq!(solved(&world, &wanted), "@x/z 1.0.0 requires @x/gone *, but there is no skill @x/gone");
    }

    #[test]
    fn a_question_that_is_too_hard_ends() {
        // Twelve guests and eleven rooms: version r of a guest needs room r at the guest's own number.
        let guests: Vec<String> = (1..=12).map(|guest| format!("guest{guest}")).collect();
        let rooms: Vec<String> = (1..=11).map(|room| format!("room{room}")).collect();
        let numbers: Vec<String> = (1..=12).map(|number| format!("{number}.0.0")).collect();
        let needs: Vec<Vec<String>> =
            (1..=12).map(|guest| (1..=11).map(|room| format!("room{room} ={guest}.0.0")).collect()).collect();
        let needs: Vec<Vec<[&str; 1]>> =
            needs.iter().map(|of_guest| of_guest.iter().map(|need| [need.as_str()]).collect()).collect();
        let versions: Vec<Vec<(&str, &[&str])>> = needs
            .iter()
            .map(|of_guest| numbers.iter().zip(of_guest).map(|(number, need)| (number.as_str(), &need[..])).collect())
            .collect();
        let free: Vec<(&str, &[&str])> = numbers.iter().map(|number| (number.as_str(), [].as_slice())).collect();
        let mut world: Vec<Skill<'_>> =
            guests.iter().zip(&versions).map(|(guest, versions)| (guest.as_str(), versions.as_slice())).collect();
        world.extend(rooms.iter().map(|room| (room.as_str(), free.as_slice())));
        let universe = guests.iter().fold(Universe::of(&world), |universe, guest| universe.wanting(guest));
        assert!(matches!(solve(&universe), Err(Failure::TooHard)));
    }

    /// Whether any choice of versions, or of none, gives everybody what they need without a circle.
    fn is_solvable(universe: &Universe, skills: &[SkillId], wanted: &BTreeSet<SkillId>) -> bool {
        let sizes: Vec<usize> = skills.iter().map(|skill| universe.versions(*skill).len() + 1).collect();
        (0..sizes.iter().product::<usize>()).any(|mut number| {
            let mut chosen = Chosen::new();
            for (skill, size) in skills.iter().zip(&sizes) {
                if number % size > 0 {
                    chosen.insert(*skill, number % size - 1);
                }
                number /= size;
            }
            let met = chosen.iter().all(|(skill, place)| {
                universe.version(*skill, *place).unwrap().needs.iter().all(|need| {
                    let found = need.skill.and_then(|skill| Some((skill, *chosen.get(&skill)?)));
                    found.is_some_and(|(skill, place)| allows(&need.want, universe.version(skill, place).unwrap()))
                })
            });
            let mut left = chosen.clone();
            while let Some(free) = left
                .iter()
                .find(|(skill, place)| universe.needs_of(**skill, **place).all(|needed| !left.contains_key(&needed)))
            {
                let free = *free.0;
                left.remove(&free);
            }
            met && left.is_empty() && wanted.iter().all(|skill| chosen.contains_key(skill))
        })
    }

    #[test]
    fn a_choice_is_found_exactly_when_there_is_one() {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        const RANGES: [&str; 4] = ["*", "^1", "^2", "=3.0.0"];
        let mut state = 7_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let (mut found, mut refused) = (0, 0);
        for _ in 0..600 {
            let needs: Vec<Vec<Vec<String>>> = (0..NAMES.len())
                .map(|own| {
                    let mut need = |_| {
                        let other = (own + 1 + draw(NAMES.len() - 1)) % NAMES.len();
                        format!("{} {}", NAMES[other], RANGES[draw(RANGES.len())])
                    };
                    (0..3).map(|number| (0..=(number % 2)).map(&mut need).collect()).collect()
                })
                .collect();
            let needs: Vec<Vec<Vec<&str>>> = needs
                .iter()
                .map(|skill| skill.iter().map(|needs| needs.iter().map(String::as_str).collect()).collect())
                .collect();
            let numbers = ["1.0.0", "2.0.0", "3.0.0"];
            let versions: Vec<Vec<(&str, &[&str])>> = needs
                .iter()
                .map(|skill| {
                    let drawn = numbers.into_iter().zip(skill).map(|(number, needs)| (number, needs.as_slice()));
                    drawn.map(|(number, needs)| (number, if draw(3) == 0 { &[] } else { needs })).collect()
                })
                .collect();
            let world: Vec<Skill<'_>> =
                NAMES.into_iter().zip(&versions).map(|(name, versions)| (name, versions.as_slice())).collect();
            let universe = Universe::of(&world).wanting("a").wanting("b");
            let skills: Vec<SkillId> = NAMES
                .iter()
                .filter_map(|name| Universe::of(&world).wanting(name).wanted().map(|(id, _)| id).next())
                .collect();
            let wanted = universe.wanted().map(|(skill, _)| skill).collect();
            let solvable = is_solvable(&universe, &skills, &wanted);
            assert_eq!(solve(&universe).is_ok(), solvable, "{world:?}");
            if solvable { found += 1 } else { refused += 1 }
        }
        assert!(found > 40 && refused > 40, "{found} and {refused}");
    }
}
