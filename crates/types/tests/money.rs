//! Amounts of money as text.

use kontor_types::{Currency, Money};
use proptest::prelude::*;
use rstest::rstest;

#[rstest]
#[case("20.00 CNY", "20.00 CNY", "¥20")]
#[case("¥20", "20.00 CNY", "¥20")]
#[case("￥19.5", "19.50 CNY", "¥19.50")]
#[case("CN¥20", "20.00 CNY", "¥20")]
#[case("CNY 0.01", "0.01 CNY", "¥0.01")]
#[case("JPY 1500", "1500 JPY", "JP¥1500")]
#[case("JP¥7", "7 JPY", "JP¥7")]
#[case("$0.50", "0.50 USD", "$0.50")]
#[case("1.234 KWD", "1.234 KWD", "1.234 KWD")]
#[case("92233720368547758.07 EUR", "92233720368547758.07 EUR", "€92233720368547758.07")]
#[case("000020 CNY", "20.00 CNY", "¥20")]
fn an_amount_is_read_and_written_exactly(#[case] text: &str, #[case] written: &str, #[case] short: &str) {
    let money: Money = text.parse().unwrap();
    assert_eq!((money.to_string().as_str(), money.short().as_str()), (written, short));
}

#[rstest]
#[case("0.015 CNY")]
#[case("1e3 CNY")]
#[case("-1 CNY")]
#[case("+1 CNY")]
#[case(" 1 CNY")]
#[case("1  CNY")]
#[case("１ CNY")]
#[case("1,00 CNY")]
#[case("1. CNY")]
#[case(".5 CNY")]
#[case("1.0 JPY")]
#[case("NaN CNY")]
#[case("1 XXX")]
#[case("1 cny")]
#[case("20")]
#[case("¥")]
#[case("")]
#[case("92233720368547758.08 EUR")]
#[case("99999999999999999999999999999999999999999999999 EUR")]
fn what_is_not_exactly_an_amount_is_refused(#[case] text: &str) {
    assert!(text.parse::<Money>().is_err());
}

#[test]
fn currencies_do_not_mix_and_sums_do_not_wrap() {
    let (yuan, yen): (Currency, Currency) = ("CNY".parse().unwrap(), "JPY".parse().unwrap());
    assert_eq!(yuan.minor(5).checked_add(yuan.minor(7)), Some(yuan.minor(12)));
    assert_eq!(yuan.minor(5).checked_add(yen.minor(7)), None);
    assert_eq!(yuan.minor(i64::MAX).checked_add(yuan.minor(1)), None);
    assert_eq!(yuan.minor(i64::MIN).checked_sub(yuan.minor(1)), None);
    assert_eq!(yuan.minor(-5).to_string(), "-0.05 CNY");
    assert_eq!(yuan.minor(-500).short(), "-¥5");
    assert_eq!(yuan.minor(i64::MIN).amount(), "-92233720368547758.08");
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(minor in 0..=i64::MAX, code in prop::sample::select(vec!["CNY", "JPY", "KWD", "CLF"])) {
        let money = code.parse::<Currency>().unwrap().minor(minor);
        prop_assert_eq!(money.to_string().parse(), Ok(money));
        prop_assert_eq!(money.short().parse(), Ok(money));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = text.parse::<Money>();
    }
}
