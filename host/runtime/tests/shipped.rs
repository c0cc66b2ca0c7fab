//! The shipped strategies load in their roles, and only there.

mod support;

use runtime::{Grants, Limits, Profile, Refusal, Role, Runtime, RuntimeOptions, inspect};

#[test]
fn each_shipped_strategy_loads_in_its_role() {
    for profile in [Profile::Live, Profile::Deterministic] {
        let runtime = Runtime::new(RuntimeOptions::new(profile)).expect("runtime");
        for shipped in bundle::all() {
            let role: Role = shipped.role.parse().expect("a role");
            let loaded =
                runtime.load(shipped.bytes, Grants::of(role), Limits::default()).expect(shipped.name);
            assert!(loaded.inspection().roles.contains(&role), "{}", shipped.name);
            assert_eq!(loaded.inspection().contract.as_deref(), Some("0.1.0"));
        }
    }
}

#[test]
fn who_sells_is_no_monitor() {
    let inspection = inspect(bundle::SELL).expect("a component");
    assert!(!inspection.roles.contains(&Role::Monitor));
    assert!(matches!(inspection.check(Role::Monitor), Err(Refusal::NotGranted { role: Role::Monitor, .. })));
    assert_eq!(inspect(bundle::MONITOR).expect("a component").roles, Role::ALL);
}
