//! Other accountants' programs read the export and come to the same balances.
#![expect(clippy::print_stderr, reason = "what a test leaves out must be seen")]
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod books;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use books::{Books, On, leg, money};
use kontor_ledger::{Amounts, Format, Key, NewAccount, Order, Request, Side};
use rstest::rstest;

/// Names and memos that mean something to the programs, in several currencies, with everything that moves money.
async fn books(on: On) -> Option<Books> {
    let books = Books::open(on).await?;
    let [_, ada, shop] = books.usual().await;
    let odd = NewAccount {
        owner_kind: "publisher".to_owned(),
        owner: "  \"Λ\\;| 艾达 (x) ".to_owned(),
        code: "9 type:Z".to_owned(),
        currency: "JPY".parse().unwrap(),
        side: Side::Credit,
        guarded: true,
    };
    let odd = books.ledger.open(odd).await.unwrap().number;
    let yen = books.account("-yen", "JPY", Side::Debit, false).await;
    let amount = "JP¥1500".parse().unwrap();
    let order = Order::Move(vec![kontor_ledger::Leg { debit: yen, credit: odd, amount }, leg(ada, shop, 5)]);
    let request = Request::new(Key::new("odd", "k;\"\\ type:Z date:2026-13-45 [2026-13-45] 1").unwrap(), order);
    let memo = "(a) * ! | \"b\\\" ; tag:c  100.00 CNY = 艾";
    let both = books.ledger.transfer(request.memo(memo)).await.unwrap().transfer.number;
    let held = books.reserve("r", ada, shop, 900, None).await.unwrap().transfer.number;
    let amounts = Amounts::Part(money(333));
    books.order("p", Order::Post { reservation: held, amounts: amounts.clone() }).await.unwrap();
    books.reserve("still", ada, shop, 100, None).await.unwrap();
    books.order("b", Order::Refund { transfer: both, amounts: Amounts::Legs(vec![500, 0]) }).await.unwrap();
    Some(books)
}

async fn export(books: &Books, format: Format) -> String {
    let mut text = Vec::new();
    books.ledger.export(format, &mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// Whether the program takes the text; `None`, said loudly, when it is not here.
fn taken(program: &mut Command, folder: &Path, text: &str) -> Option<(bool, String)> {
    let file = folder.join("books.journal");
    std::fs::write(&file, text).unwrap();
    let Ok(output) = program.arg(&file).output() else {
        eprintln!("SKIPPED: {} is not here, so it did not read the books", program.get_program().display());
        return None;
    };
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Some((output.status.success(), told))
}

#[rstest]
#[tokio::test]
async fn hledger_agrees(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = books(on).await else { return };
    let text = export(&books, Format::Hledger).await;
    assert_eq!(text, export(&books, Format::Hledger).await);
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str| taken(Command::new("hledger").args(["check", "--strict", "-f"]), folder.path(), text);
    let Some((good, told)) = check(&text) else { return };
    assert!(good, "{told}\n{text}");
    let (good, _) =
        check(&text.replace("  3.33 CNY\n", "  3.34 CNY\n").replace("  -3.33 CNY\n", "  -3.34 CNY\n")).unwrap();
    assert!(!good, "another amount must be noticed");
    let mut balance = Command::new("hledger");
    balance.args(["balance", "--flat", "--no-total", "--empty", "-f"]);
    let (_, told) = taken(&mut balance, folder.path(), &text).unwrap();
    let theirs: BTreeMap<i64, String> = told
        .lines()
        .filter_map(|line| {
            let (amount, name) = line.trim().split_once("  ")?;
            Some((name.rsplit_once(":N")?.1.parse().ok()?, amount.trim_end_matches(" CNY").to_owned()))
        })
        .collect();
    for account in books.ledger.accounts(0, 100).await.unwrap() {
        let ours = account.currency.minor(account.debits - account.credits);
        let (ours, theirs) = (ours.to_string(), theirs.get(&account.number).map(String::as_str));
        let zero = account.debits == account.credits && theirs.is_none_or(|theirs| theirs.starts_with('0'));
        assert!(zero || theirs.is_some_and(|theirs| ours.starts_with(theirs)), "{ours}: {told}");
    }
}

#[rstest]
#[tokio::test]
async fn beancount_agrees(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = books(on).await else { return };
    let text = export(&books, Format::Beancount).await;
    let folder = tempfile::tempdir().unwrap();
    let python = std::env::var_os("KONTOR_TEST_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let found = Command::new(&python).args(["-c", "import beancount"]).output().is_ok_and(|done| done.status.success());
    if !found {
        eprintln!("SKIPPED: KONTOR_TEST_PYTHON names no Python with beancount, so it did not read the books");
        return;
    }
    let check =
        |text: &str| taken(Command::new(&python).args(["-m", "beancount.scripts.check"]), folder.path(), text).unwrap();
    let (good, told) = check(&text);
    assert!(good, "{told}\n{text}");
    let (good, _) = check(&text.replace("  3.33 CNY\n", "  3.34 CNY\n").replace("  -3.33 CNY\n", "  -3.34 CNY\n"));
    assert!(!good, "another amount must be noticed");
}
