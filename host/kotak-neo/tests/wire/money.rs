//! Text to amounts and back.

use kotak_neo::{Amount, AmountError};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

#[test]
fn texts_of_the_wire_are_read_exactly() {
    let cases = [
        ("9.39", 93_900),
        ("0.00", 0),
        ("-0.00", 0),
        ("19.409999999999997", 194_100),
        ("9.390000000000001", 93_900),
        ("38.190000", 381_900),
        ("0.00005", 1),
        ("-0.00005", -1),
        ("0.000049999999999999999", 0),
        (" 12 ", 120_000),
        ("+1.5", 15_000),
        (".5", 5_000),
        ("5.", 50_000),
        ("1.5E7", 150_000_000_000),
        ("2.5e-3", 25),
        ("1e-300", 0),
        ("0e300", 0),
        ("922337203685477.5807", i64::MAX),
        ("-922337203685477.5807", -i64::MAX),
        ("000000000000000000000000000001", 10_000),
    ];
    for (text, units) in cases {
        assert_eq!(Amount::parse(text).map(Amount::units), Ok(units), "{text}");
    }
    for text in [
        "",
        " ",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "--",
        "NA",
        "1,000",
        "1.2.3",
        "1 2",
        "-",
        "+",
        ".",
        "e5",
        "1e",
        "1e9999",
        "0x10",
        "१२",
        "--5",
        "₹5",
    ] {
        assert_eq!(Amount::parse(text), Err(AmountError::NotANumber), "{text}");
    }
    for text in ["922337203685477.5808", "1e30", "-1e15", "99999999999999999999"] {
        assert_eq!(Amount::parse(text), Err(AmountError::TooLarge), "{text}");
    }
}

#[test]
fn amounts_are_written_as_the_wire_wants_them() {
    let cases = [
        (0, "0"),
        (93_900, "9.39"),
        (100_000, "10"),
        (1, "0.0001"),
        (-15_000, "-1.5"),
        (190_950, "19.095"),
        (i64::MIN, "-922337203685477.5808"),
    ];
    for (units, text) in cases {
        assert_eq!(Amount::from_units(units).to_string(), text);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = Amount::parse(&text);
    }

    #[test]
    fn anything_that_looks_like_a_number_agrees_with_an_exact_decimal(
        text in "[-+]?[0-9]{1,10}(\\.[0-9]{0,12})?",
    ) {
        let exact: Decimal = text.trim_end_matches('.').parse().expect("a decimal");
        let scaled = (exact * Decimal::from(10_000)).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        let expected = i64::try_from(scaled).expect("in range");
        prop_assert_eq!(Amount::parse(&text).map(Amount::units), Ok(expected));
    }

    #[test]
    fn float_noise_does_not_change_an_amount(units in -1_000_000_000_000_i64..1_000_000_000_000) {
        // What a server that computes in floats prints.
        let noisy = format!("{:?}", units as f64 / 10_000.0 + f64::EPSILON);
        prop_assert_eq!(Amount::parse(&noisy).map(Amount::units), Ok(units));
    }

    #[test]
    fn what_is_written_is_read_again(units in proptest::num::i64::ANY) {
        let amount = Amount::from_units(units);
        let text = amount.to_string();
        prop_assert!(!text.ends_with(".0") && !text.is_empty());
        prop_assert_eq!(Amount::parse(&text), Ok(amount));
    }
}
