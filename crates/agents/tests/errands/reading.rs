use kontor_agents::{Said, Unusable, Wish};
use kontor_types::Currency;
use rstest::rstest;
use serde_json::{Value, json};

fn yuan() -> Currency {
    "CNY".parse().unwrap()
}

fn wish(request: &str, answer: &Value) -> Wish {
    Wish::read(&answer.to_string(), request, yuan()).unwrap()
}

#[rstest]
#[case("a milk tea under ¥20", &["20"], &["CNY"], &["20.00 CNY"])]
#[case("二十块以内的奶茶，来两杯", &["2", "20"], &["CNY"], &["20.00 CNY"])]
#[case("tea for at most US$4.50, three of them", &["3", "4.5"], &["USD"], &["4.50 USD"])]
#[case("１２０元 with 一百二十", &["120"], &["CNY"], &["120.00 CNY"])]
#[case("1,200 yen or 35 euros", &["1200", "35"], &["EUR", "JPY"], &["1200 JPY", "35.00 EUR"])]
#[case("neural european dollhouse", &[], &[], &[])]
#[case("一万零五十元", &["10050"], &["CNY"], &["10050.00 CNY"])]
fn numbers_and_currencies_are_read(
    #[case] text: &str,
    #[case] numbers: &[&str],
    #[case] currencies: &[&str],
    #[case] amounts: &[&str],
) {
    let said = Said::of(text);
    assert_eq!(said.numbers.iter().collect::<Vec<_>>(), numbers);
    assert_eq!(said.currencies.iter().map(|one| one.as_str()).collect::<Vec<_>>(), currencies);
    assert_eq!(said.amounts.iter().map(ToString::to_string).collect::<Vec<_>>(), amounts);
}

#[test]
fn a_plain_request_is_taken_as_the_model_reads_it() {
    let request = "order me a milk tea under ¥20 to the office, less sugar";
    let answer = json!({"kind": "buy", "words": ["milk tea", "奶茶"], "quantity": 1, "limit": {"amount": "20", "currency": "CNY"},
        "deliver_to": "the office", "note": "less sugar", "deliver_by": null});
    let wish = wish(request, &answer);
    assert_eq!(wish.at_most.unwrap().to_string(), "20.00 CNY");
    assert_eq!((wish.deliver_to.as_deref(), wish.note.as_deref()), (Some("the office"), Some("less sugar")));
    assert!(wish.not_taken.is_empty(), "{:?}", wish.not_taken);
}

#[rstest]
#[case::dearer("tea under ¥20", json!({"limit": {"amount": "2000", "currency": "CNY"}}), "limit", "20.00 CNY")]
#[case::other_currency("tea under ¥20", json!({"limit": {"amount": "20", "currency": "EUR"}}), "currency", "20.00 CNY")]
#[case::finer("tea under ¥20", json!({"limit": {"amount": "20.001", "currency": "CNY"}}), "limit", "20.00 CNY")]
#[case::negative("tea under ¥20", json!({"limit": {"amount": "-1", "currency": "CNY"}}), "limit", "20.00 CNY")]
#[case::not_a_number("tea under ¥20", json!({"limit": {"amount": "NaN", "currency": "CNY"}}), "limit", "20.00 CNY")]
#[case::more("two teas under ¥20", json!({"quantity": 50, "limit": {"amount": "20", "currency": "CNY"}}), "quantity", "20.00 CNY")]
#[case::elsewhere("tea under ¥20 to the office", json!({"deliver_to": "Dock 9", "limit": {"amount": "20.00", "currency": "CNY"}}), "address", "20.00 CNY")]
#[case::own_words("tea under ¥20", json!({"note": "pay the driver in cash", "limit": {"amount": "20", "currency": "CNY"}}), "note", "20.00 CNY")]
fn what_nobody_said_is_not_taken(#[case] request: &str, #[case] more: Value, #[case] what: &str, #[case] limit: &str) {
    let mut answer = json!({"kind": "buy", "words": ["tea"]});
    answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let wish = wish(request, &answer);
    assert_eq!(wish.not_taken.iter().map(|one| one.what.as_str()).collect::<Vec<_>>(), [what]);
    assert_eq!(wish.at_most.unwrap().to_string(), limit);
    assert!(wish.quantity <= 2 && wish.deliver_to.is_none() && wish.note.is_none());
}

#[test]
fn a_limit_that_the_model_forgot_is_kept() {
    assert_eq!(
        wish("奶茶，二十块以内", &json!({"kind": "buy", "words": ["奶茶"]})).at_most.unwrap().to_string(),
        "20.00 CNY"
    );
    assert_eq!(wish("a milk tea", &json!({"kind": "buy", "words": ["tea"]})).at_most, None);
}

#[rstest]
#[case("no json")]
#[case("{\"kind\": \"steal\"}")]
#[case("{\"kind\": \"buy\"}")]
#[case("{\"kind\": \"buy\", \"words\": [\" \\n\"]}")]
#[case("{\"kind\": \"buy\", \"words\": [\"tea\"], \"pay_to\": \"evil\"}")]
#[case("{\"kind\": \"buy\", \"words\": [\"tea\"], \"quantity\": 1.5}")]
fn an_answer_in_another_form_is_refused(#[case] answer: &str) {
    assert!(matches!(Wish::read(answer, "tea", yuan()), Err(Unusable::Form(_))), "{answer}");
}

#[test]
fn another_subject_is_told_as_such() {
    let answer = "```json\n{\"kind\": \"other\", \"reason\": \"asks for the weather\"}\n```";
    assert_eq!(Wish::read(answer, "weather?", yuan()), Err(Unusable::Other("asks for the weather".to_owned())));
}

#[rstest]
#[case("order me a milk tea under ¥20 to the office", &["milk tea", "奶茶"], Some("20.00 CNY"), Some("the office"), None)]
#[case("please buy an umbrella for at most $12.50, black one", &["umbrella", "雨伞"], Some("12.50 USD"), None, Some("black one"))]
#[case("帮我点一杯二十元以内的奶茶送到办公室", &["milk tea", "奶茶"], Some("20.00 CNY"), Some("办公室"), None)]
#[case("买一把雨伞", &["umbrella", "雨伞"], None, None, None)]
#[case("a blue stapler to desk 4", &["blue stapler"], None, Some("desk 4"), None)]
fn the_rules_without_a_model_read_short_requests(
    #[case] request: &str,
    #[case] words: &[&str],
    #[case] limit: Option<&str>,
    #[case] place: Option<&str>,
    #[case] note: Option<&str>,
) {
    let read = kontor_agents::rules::read(request);
    let wish = wish(request, &read);
    assert_eq!(wish.words, words, "{read}");
    assert_eq!(wish.at_most.map(|money| money.to_string()).as_deref(), limit);
    assert_eq!((wish.deliver_to.as_deref(), wish.note.as_deref()), (place, note));
    assert!(wish.not_taken.is_empty(), "{:?}", wish.not_taken);
}
