//! One-time codes and clocks.

use broker::session::{Generation, NoSession, SessionEvent};
use secrecy::{ExposeSecret, SecretString};

use crate::world::{SECRET, Say, World, at, lock};

/// The code of an instant by an independent count: RFC 6238 as the library has it.
fn code(at: model::Timestamp) -> String {
    let secret: SecretString = SECRET.to_owned().into();
    assert_eq!(secret.expose_secret().len(), 32);
    let totp = totp_rs::Builder::new().with_secret(*b"12345678901234567890").build_noncompliant();
    totp.generate(u64::try_from(at.nanos() / 1_000_000_000).expect("after 1970")).to_string()
}

#[test]
fn the_code_is_that_of_the_clock() {
    let world = World::new();
    world.open(Generation::NONE);
    assert_eq!(world.script.codes(), [code(at(10, 0))]);
}

#[test]
fn a_half_minute_is_never_sent_twice_not_even_across_renewals() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(10);
    let second = world.renew(first).expect("a session");
    assert_eq!(second.opened, at(10, 0).plus_seconds(30), "it waited for the next half minute");
    assert_eq!(world.script.codes(), [code(at(10, 0)), code(at(10, 0).plus_seconds(30))]);
}

#[test]
fn a_failed_login_used_its_half_minute_up() {
    let world = World::new();
    world.views_say(&[Say::Down]);
    world.open(Generation::NONE);
    let codes = world.script.codes();
    assert_eq!(codes, [code(at(10, 0)), code(at(10, 0).plus_seconds(30))]);
}

#[test]
fn a_code_with_less_than_two_seconds_left_is_not_sent() {
    let world = World::new();
    world.pass(28);
    assert_eq!(world.renew(Generation::NONE).expect("a session").opened, at(10, 0).plus_seconds(28));
    let world = World::new();
    world.pass(29);
    assert_eq!(world.renew(Generation::NONE).expect("a session").opened, at(10, 0).plus_seconds(30));
}

#[test]
fn a_clock_that_is_off_is_found_out_and_corrected() {
    let world = World::new();
    *lock(&world.script.ahead) = Some(40);
    world.views_say(&[Say::WrongCode]);
    let session = world.renew(Generation::NONE).expect("a session");
    let codes = world.script.codes();
    assert_eq!(codes.len(), 2);
    assert_eq!(codes[0], code(at(10, 0)), "by our clock: nothing else was known");
    assert_eq!(codes[1], code(session.opened.plus_seconds(40)), "by the broker's clock");
    assert_eq!(world.keeper.status().skew_ms, Some(40_000));
    let alarms = world.news().into_iter().filter(|event| matches!(event, SessionEvent::Skew { .. }));
    assert_eq!(alarms.collect::<Vec<_>>(), [SessionEvent::Skew { ms: 40_000 }], "said once");
}

#[test]
fn a_small_difference_is_no_alarm() {
    let world = World::new();
    *lock(&world.script.ahead) = Some(-5);
    world.open(Generation::NONE);
    assert_eq!(world.keeper.status().skew_ms, Some(-5_000));
    assert!(!world.news().iter().any(|event| matches!(event, SessionEvent::Skew { .. })));
    *lock(&world.script.ahead) = Some(-6);
    world.pass(3600);
    world.open(world.keeper.status().generation);
    assert!(world.news().contains(&SessionEvent::Skew { ms: -6_000 }));
}

#[test]
fn two_refused_codes_in_a_row_stop_the_logins() {
    let world = World::new();
    world.views_say(&[Say::WrongCode, Say::WrongCode]);
    let refused = world.renew(Generation::NONE).expect_err("refused");
    assert!(matches!(refused, NoSession::WrongCredentials { .. }), "{refused}");
    assert!(refused.to_string().contains("TOTP secret"), "{refused}");
    world.pass(7200);
    assert_eq!(world.renew(Generation::NONE).expect_err("still"), refused);
    assert_eq!(world.script.count("view"), 2);
}

#[test]
fn refused_codes_with_a_good_one_between_do_not_add_up() {
    let world = World::new();
    world.views_say(&[Say::WrongCode, Say::Yes, Say::WrongCode, Say::Yes]);
    let first = world.open(Generation::NONE);
    world.pass(3600);
    assert_eq!(world.open(first).get(), 2);
    assert_eq!(world.script.count("view"), 4);
}

#[test]
fn no_code_and_no_secret_is_in_any_text() {
    let world = World::new();
    world.views_say(&[Say::WrongCode, Say::WrongCode]);
    let refused = world.renew(Generation::NONE).expect_err("refused");
    let shown = format!(
        "{refused} {refused:?} {:?} {}",
        world.keeper.status(),
        serde_json::to_string(&(world.keeper.status(), world.news())).expect("JSON")
    );
    for secret in world.script.codes().into_iter().chain([SECRET.to_owned()]) {
        assert!(!shown.contains(&secret), "{secret} in {shown}");
    }
}
