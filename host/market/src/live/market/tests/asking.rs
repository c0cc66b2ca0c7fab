use super::*;

#[test]
fn two_callers_make_one_request() {
    let world = World::new(at(FRIDAY, 10, 0));
    world.put("AAA", 105);
    world.put("BBB", 50);
    world.source.hold(true);
    let mut context = Context::from_waker(Waker::noop());
    let (one, two) = (["AAA".into()], ["BBB".into(), "AAA".into(), "AAA".into()]);
    let mut first = pin!(world.market.refresh(&one));
    let mut second = pin!(world.market.refresh(&two));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    world.source.hold(false);
    assert!(second.as_mut().poll(&mut context).is_pending(), "AAA is the first caller's to bring");
    assert!(first.as_mut().poll(&mut context).is_ready());
    assert_eq!(second.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    let asked = world.source.asked.lock().expect("sound").clone();
    assert_eq!(asked, [vec![Symbol::from("AAA")], vec![Symbol::from("BBB")]]);
    assert_eq!((world.last("AAA"), world.last("BBB")), (rupees(105), rupees(50)));
}

#[test]
fn who_waits_for_a_caller_that_gave_up_asks_himself() {
    let world = World::new(at(FRIDAY, 10, 0));
    world.put("AAA", 105);
    world.source.hold(true);
    let mut context = Context::from_waker(Waker::noop());
    let symbols = ["AAA".into()];
    let mut second = pin!(world.market.refresh(&symbols));
    {
        let mut first = pin!(world.market.refresh(&symbols));
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(world.source.requests(), 1);
    }
    world.source.hold(false);
    assert_eq!(second.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    assert_eq!((world.source.requests(), world.last("AAA")), (2, rupees(105)));
}

#[test]
fn an_error_reaches_everybody_who_waits_and_nobody_after() {
    let world = World::new(at(FRIDAY, 10, 0));
    world.put("AAA", 105);
    world.source.hold(true);
    let mut context = Context::from_waker(Waker::noop());
    let symbols = ["AAA".into()];
    let mut first = pin!(world.market.refresh(&symbols));
    let mut second = pin!(world.market.refresh(&symbols));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    let expired = SourceError::SessionExpired("invalid session token".into());
    world.source.errors.lock().expect("sound").push_back(expired.clone());
    world.source.hold(false);
    assert_eq!(first.as_mut().poll(&mut context), Poll::Ready(Err(expired.clone())));
    assert_eq!(second.as_mut().poll(&mut context), Poll::Ready(Err(expired)));
    world.refresh(&["AAA"]);
    assert_eq!(world.last("AAA"), rupees(105));
}

#[test]
fn on_demand_a_quote_of_two_seconds_is_asked_for_again() {
    let world = World::new(at(FRIDAY, 10, 0));
    world.put("AAA", 105);
    let ensure = || run(world.market.ensure_fresh(&"AAA".into())).expect("answered");
    ensure();
    world.clock.set(world.now().plus_nanos(2 * model::time::SECOND - 1));
    ensure();
    assert_eq!(world.source.requests(), 1);
    world.clock.set(world.now().plus_nanos(1));
    ensure();
    assert_eq!(world.source.requests(), 2);
    // Before the open Thursday's close is what there is: nobody is asked.
    world.clock.set(at("2026-11-30", 8, 0));
    world.market.set_history(history(&["AAA"], FRIDAY, &world.calendar));
    ensure();
    assert_eq!((world.source.requests(), world.last("AAA")), (2, rupees(100)));
}

#[test]
fn requests_hold_fifty_symbols() {
    let options = LiveOptions { pulse: vec!["PULSE".into()], ..LiveOptions::default() };
    let world = World::with(at(FRIDAY, 10, 0), options);
    let names: Vec<String> = (0..100).map(|number| format!("S{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.refresh(&names[..75]);
    world.refresh(&names);
    let sizes: Vec<usize> = world.source.asked.lock().expect("sound").iter().map(Vec::len).collect();
    assert_eq!(sizes, [50, 26, 50, 50], "the pulse costs no request of its own");
}

#[test]
fn what_is_watched_is_due_again_and_again_and_once_after_the_end() {
    let options = LiveOptions { pulse: vec!["PULSE".into()], ..LiveOptions::default() };
    let world = World::with(at(FRIDAY, 9, 14), options);
    world.market.watch(["AAA".into()]);
    let due = || {
        let names = world.market.due(world.now());
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(due(), "", "before the open");
    world.clock.set(at(FRIDAY, 9, 15));
    assert_eq!(due(), "AAA PULSE");
    assert!(world.quote("BBB").is_err(), "there is no price yet, and it is watched from now on");
    assert!(world.quote("TYPO").is_err());
    assert_eq!(due(), "AAA BBB PULSE");
    world.put("AAA", 105);
    world.refresh(&["AAA"]);
    assert_eq!(due(), "BBB", "AAA and the pulse have just been answered");
    world.clock.pass_seconds(5);
    assert_eq!(due(), "BBB AAA PULSE", "never answered first");
    world.refresh(&["BBB", "AAA"]);
    assert_eq!(due(), "", "an answer without a quote is an answer too");
    world.clock.set(at(FRIDAY, 9, 25));
    assert_eq!(due(), "AAA BBB PULSE", "ten minutes after it was asked for");
    world.clock.pass_seconds(1);
    assert_eq!(due(), "AAA PULSE", "and no longer");
    world.market.watch([]);
    assert_eq!(due(), "PULSE");
    // After the end once more, and then not until the next session.
    world.clock.set(at(FRIDAY, 15, 45));
    assert_eq!(due(), "PULSE");
    world.refresh(&["PULSE"]);
    world.clock.set(at(FRIDAY, 15, 59));
    assert_eq!(due(), "");
    world.clock.set(at("2026-11-28", 10, 0));
    assert_eq!(due(), "");
}
