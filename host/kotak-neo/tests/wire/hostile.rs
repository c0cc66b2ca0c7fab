//! Bodies that nobody would send: an error or a value, never a panic.

use proptest::prelude::*;

use crate::samples;
use crate::support::{CALLS, Script, call};

fn every_call(http: u16, body: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for name in CALLS {
        let script = Script::with(http, body);
        let _ = runtime.block_on(call(script.clone(), name));
        assert_eq!(script.sent().len(), 1, "{name}");
    }
}

/// JSON with the wire's own names, nested at random.
fn json() -> impl Strategy<Value = String> {
    const NAMES: [&str; 26] = [
        "stat",
        "stCode",
        "data",
        "error",
        "fault",
        "code",
        "status",
        "message",
        "errMsg",
        "nOrdNo",
        "ordSt",
        "qty",
        "fldQty",
        "prc",
        "token",
        "sid",
        "baseUrl",
        "candles",
        "filesPaths",
        "exchange_token",
        "depth",
        "buy",
        "Net",
        "rmsVldtd",
        "trnsTp",
        "ip",
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#""Ok""#.to_owned()),
        Just(r#""success""#.to_owned()),
        Just(r#""B""#.to_owned()),
        Just("200".to_owned()),
        Just("1000".to_owned()),
        Just("1e999999".to_owned()),
        Just("-0.0".to_owned()),
        Just("99999999999999999999999999".to_owned()),
        "\"[a-z0-9.:/\\-]{0,12}\"",
        "-?[1-9][0-9]{0,20}(\\.[0-9]{1,20})?",
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec((0..NAMES.len(), inner), 0..8).prop_map(|members| {
                let members: Vec<String> =
                    members.into_iter().map(|(name, value)| format!("\"{}\":{value}", NAMES[name])).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_through_every_call(body in proptest::collection::vec(any::<u8>(), 0..200), http in 100_u16..600) {
        every_call(http, &body);
    }

    #[test]
    fn any_json_through_every_call(body in json(), http in prop_oneof![Just(200_u16), Just(401), Just(500)]) {
        every_call(http, body.as_bytes());
    }

    #[test]
    fn a_good_answer_cut_short_or_changed_is_never_a_success_of_another_kind(
        which in 0..CALLS.len(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let name = CALLS[which];
        let good = samples::of(name).as_bytes();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let shorter = &good[..cut.index(good.len())];
        if name != "scrip-master" {
            // JSON that is cut is not JSON.
            prop_assert!(runtime.block_on(call(Script::with(200, shorter), name)).is_err());
        }
        let mut changed = good.to_vec();
        changed[flip.index(good.len())] = byte;
        every_call(200, &changed);
    }
}

#[test]
fn a_very_deep_body_is_refused_without_a_stack() {
    for open in ["[", "{\"data\":"] {
        let body = open.repeat(200_000);
        every_call(200, body.as_bytes());
        let close = if open == "[" { "]" } else { "}" };
        let body = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        every_call(200, body.as_bytes());
    }
}
