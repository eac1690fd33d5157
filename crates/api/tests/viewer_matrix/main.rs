//! Nobody learns of what they may not see: every route, every kind of viewer, every visibility.
//!
//! A hidden skill or publisher must be answered exactly as a name that does not exist: same status, same headers, same
//! body. A route that has no line in [`lines`] fails the test.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod foreign;
mod lines;
#[path = "../http/support.rs"]
#[expect(dead_code, reason = "shared with the tests of HTTP, which use the rest")]
mod support;
mod world;

use axum::http::StatusCode;
use lines::{About, Line, lines};
use world::{Name, Who, World};

const VISIBILITIES: [&str; 4] = ["public", "unlisted", "organisation", "private"];

/// Who may open a skill of an organisation by its name.
fn may_open(who: Who, visibility: &str) -> bool {
    match who {
        Who::Anonymous | Who::Stranger => matches!(visibility, "public" | "unlisted"),
        Who::Member => visibility != "private",
        Who::Owner | Who::Administrator => true,
    }
}

/// Who may find it in lists.
fn may_list(who: Who, visibility: &str) -> bool {
    match who {
        Who::Anonymous | Who::Stranger => visibility == "public",
        other => may_open(other, visibility),
    }
}

#[test]
fn every_route_has_a_line_and_every_line_a_route() {
    let lines = lines();
    let table = kontor_api::table();
    for route in &table {
        let known = lines.iter().any(|line| line.path == route.path && line.method == route.method);
        assert!(known, "{} {} has no line: say in lines.rs what it may tell whom", route.method, route.path);
    }
    for line in &lines {
        let known = table.iter().any(|route| line.path == route.path && line.method == route.method);
        assert!(known, "{} {} has a line but is no route", line.method, line.path);
    }
}

#[tokio::test]
async fn a_hidden_skill_is_answered_as_an_unknown_one() {
    let world = World::build().await;
    let mut compared = 0;
    for line in lines().iter().filter(|line| line.about == About::Skill) {
        for who in Who::ALL {
            for visibility in VISIBILITIES {
                compared += compare(&world, line, who, visibility, may_open(who, visibility)).await;
            }
        }
    }
    eprintln!("{compared} answers about hidden skills were compared with answers about unknown ones");
}

#[tokio::test]
async fn a_skill_in_no_visible_state_is_answered_as_an_unknown_one() {
    let world = World::build().await;
    for line in lines().iter().filter(|line| line.about == About::Skill) {
        for who in [Who::Anonymous, Who::Stranger] {
            for state in ["withheld", "deleted", "renamed"] {
                compare(&world, line, who, state, false).await;
            }
        }
    }
}

/// Compares the answers about a skill and about a name of the same length that nobody has.
async fn compare(world: &World, line: &Line, who: Who, which: &str, may_see: bool) -> usize {
    let (hidden, absent) = (Name::hidden(which), Name::absent(which));
    if may_see && line.changes() {
        // Whether those who see it may also change it is for other tests; here it must stay as it is.
        return 0;
    }
    for extra in line.conditions() {
        let about_hidden = world.ask(line, who, &hidden, &extra).await;
        let about_absent = world.ask(line, who, &absent, &extra).await.renamed(&absent, &hidden);
        if may_see {
            assert!(
                about_hidden.status.is_success() || about_hidden.status == StatusCode::NOT_MODIFIED,
                "{} {} as {who:?}: {which} must be there, not {} {}",
                line.method,
                line.path,
                about_hidden.status,
                about_hidden.body
            );
            assert!(about_hidden != about_absent, "{} {} as {who:?}: {which} must be told", line.method, line.path);
        } else {
            assert_eq!(
                about_hidden, about_absent,
                "{} {} as {who:?} tells that there is a {which} skill",
                line.method, line.path
            );
        }
    }
    usize::from(!may_see)
}

#[tokio::test]
async fn a_hidden_publisher_is_answered_as_an_unknown_one() {
    let world = World::build().await;
    let (hidden, absent) = (Name::publisher("secret-org"), Name::publisher("absent-org"));
    for line in lines().iter().filter(|line| line.about == About::Publisher) {
        for who in [Who::Anonymous, Who::Stranger] {
            let about_hidden = world.ask(line, who, &hidden, &[]).await;
            let about_absent = world.ask(line, who, &absent, &[]).await.renamed(&absent, &hidden);
            assert_eq!(
                about_hidden, about_absent,
                "{} {} as {who:?} tells that there is such a publisher",
                line.method, line.path
            );
        }
    }
}

#[tokio::test]
async fn lists_name_only_what_may_be_listed() {
    let world = World::build().await;
    for line in lines() {
        let About::List(shows) = line.about else { continue };
        for who in Who::ALL {
            let answer = world.ask(&line, who, &Name::hidden("public"), &[]).await;
            for visibility in VISIBILITIES {
                let name = Name::hidden(visibility).skill;
                if !may_list(who, visibility) {
                    assert!(
                        !answer.body.contains(&name),
                        "{} {} as {who:?} lists a {visibility} skill: {}",
                        line.method,
                        line.path,
                        answer.body
                    );
                } else if shows {
                    assert!(
                        answer.body.contains(&name),
                        "{} {} as {who:?} leaves out a {visibility} skill: {}",
                        line.method,
                        line.path,
                        answer.body
                    );
                }
            }
            if matches!(who, Who::Owner | Who::Administrator) {
                continue;
            }
            for state in ["withheld", "deleted", "renamed"] {
                let name = Name::hidden(state).skill;
                assert!(!answer.body.contains(&name), "{} {} as {who:?} lists a {state} skill", line.method, line.path);
            }
            if matches!(who, Who::Anonymous | Who::Stranger) {
                assert!(
                    !answer.body.contains("secret-org"),
                    "{} {} as {who:?} lists a hidden publisher",
                    line.method,
                    line.path
                );
            }
        }
    }
}
