//! Random orders against the simplest books that could be right, on both databases; and parts that are always the whole.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod books;

use books::{Books, On, leg, money};
use kontor_ledger::{Amounts, Key, Order, Request, Side, portion, record};
use kontor_types::Clock as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[derive(Debug, Clone)]
enum Deed {
    Pay(usize, usize, i64),
    Reserve(usize, usize, i64),
    Post(usize, i64),
    Void(usize),
    Refund(usize, i64),
    Close(usize),
    Again(usize),
}

/// What moved or is held: from, to, how much, how much went back, whether it is open.
struct Past {
    number: i64,
    from: usize,
    to: usize,
    amount: i64,
    back: i64,
    open: bool,
    reserved: bool,
}

#[derive(Default)]
struct Model {
    balance: [i64; ACCOUNTS],
    held: [i64; ACCOUNTS],
    closed: [bool; ACCOUNTS],
    past: Vec<Past>,
}

const ACCOUNTS: usize = 5;

impl Model {
    /// The first account may fall below zero.
    fn free(&self, account: usize) -> i64 {
        if account == 0 { i64::MAX } else { self.balance[account] - self.held[account] }
    }

    fn may(&self, from: usize, to: usize, amount: i64) -> Result<(), &'static str> {
        match () {
            () if amount <= 0 || from == to => Err("amount_invalid"),
            () if self.closed[from] => Err("account_closed"),
            () if self.free(from) < amount => Err("insufficient_funds"),
            () if self.closed[to] => Err("account_closed"),
            () => Ok(()),
        }
    }

    fn shift(&mut self, from: usize, to: usize, amount: i64) {
        self.balance[from] -= amount;
        self.balance[to] += amount;
    }

    fn judge(&mut self, deed: &Deed) -> Result<(), &'static str> {
        match *deed {
            Deed::Pay(from, to, amount) => {
                self.may(from, to, amount)?;
                self.shift(from, to, amount);
                self.past.push(Past { number: 0, from, to, amount, back: 0, open: false, reserved: false });
            }
            Deed::Reserve(from, to, amount) => {
                self.may(from, to, amount)?;
                self.held[from] += amount;
                self.past.push(Past { number: 0, from, to, amount, back: 0, open: true, reserved: true });
            }
            Deed::Post(which, amount) => {
                let Past { from, to, amount: held, open, reserved, .. } =
                    *self.past.get(which).ok_or("transfer_unknown")?;
                match () {
                    () if !reserved => return Err("transfer_unknown"),
                    () if !open => return Err("reservation_settled"),
                    () if amount <= 0 => return Err("amount_invalid"),
                    () if amount > held => return Err("amount_exceeded"),
                    () if self.closed[from] || self.closed[to] => return Err("account_closed"),
                    () => {}
                }
                self.past[which].open = false;
                self.held[from] -= held;
                self.shift(from, to, amount);
                self.past.push(Past { number: 0, from, to, amount, back: 0, open: false, reserved: false });
            }
            Deed::Void(which) => {
                let past = self.past.get_mut(which).filter(|past| past.reserved).ok_or("transfer_unknown")?;
                if !std::mem::take(&mut past.open) {
                    return Err("reservation_settled");
                }
                self.held[past.from] -= past.amount;
            }
            Deed::Refund(which, amount) => {
                let past = self.past.get(which).filter(|past| !past.reserved).ok_or("transfer_unknown")?;
                let (from, to, left) = (past.from, past.to, past.amount - past.back);
                match () {
                    () if amount <= 0 => return Err("amount_invalid"),
                    () if amount > left => return Err("amount_exceeded"),
                    () if self.free(to) < amount => return Err("insufficient_funds"),
                    () => {}
                }
                self.past[which].back += amount;
                self.shift(to, from, amount);
            }
            Deed::Close(account) => self.closed[account] = true,
            Deed::Again(_) => {}
        }
        Ok(())
    }
}

fn deeds() -> impl Strategy<Value = Deed> {
    let account = 0..ACCOUNTS;
    let amount = prop_oneof![8 => 1..600_i64, 1 => -3..=0_i64];
    prop_oneof![
        6 => (account.clone(), account.clone(), amount.clone()).prop_map(|(from, to, amount)| Deed::Pay(from, to, amount)),
        6 => (account.clone(), account.clone(), amount.clone()).prop_map(|(from, to, amount)| Deed::Reserve(from, to, amount)),
        5 => (0..40_usize, amount.clone()).prop_map(|(which, amount)| Deed::Post(which, amount)),
        3 => (0..40_usize).prop_map(Deed::Void),
        5 => (0..40_usize, amount).prop_map(|(which, amount)| Deed::Refund(which, amount)),
        1 => (1..ACCOUNTS).prop_map(Deed::Close),
        3 => (0..80_usize).prop_map(Deed::Again),
    ]
}

/// Requests that go into one commit, with what the model says to each.
#[derive(Default)]
struct Group {
    requests: Vec<Request>,
    expected: Vec<Result<Option<usize>, &'static str>>,
}

impl Group {
    /// Records the requests in one transaction and compares what each comes to.
    async fn record(&mut self, books: &Books, model: &mut Model) -> Result<(), TestCaseError> {
        let (requests, now) = (std::mem::take(&mut self.requests), books.clock.now());
        let asked = requests.clone();
        let unit = books.db().write(move |tx| Box::pin(async move { record(tx, &asked, now).await }));
        let outcomes = unit.await.map_err(|error: kontor_db::Error| TestCaseError::fail(format!("{error:?}")))?;
        for ((outcome, expected), request) in outcomes.iter().zip(self.expected.drain(..)).zip(&requests) {
            let told = outcome.as_ref().map(|_| ()).map_err(kontor_ledger::Refusal::code);
            prop_assert_eq!(told, expected.map(|_| ()), "{:?} of {:?}", request, &requests);
            if let (Ok(recorded), Ok(Some(place))) = (outcome, expected) {
                model.past[place].number = recorded.transfer.number;
            }
        }
        Ok(())
    }
}

async fn compare(on: On, deeds: Vec<(Deed, bool)>) -> Result<(), TestCaseError> {
    let Some(books) = Books::open(on).await else { return Ok(()) };
    let mut accounts = Vec::new();
    for number in 0..ACCOUNTS {
        accounts.push(books.account(&format!("a{number}"), "CNY", Side::Credit, number > 0).await);
    }
    let mut model = Model::default();
    let mut group = Group::default();
    let mut done: Vec<Request> = Vec::new();
    for (deed, ends) in &deeds {
        // Of what is in the same commit nobody knows the number yet.
        let unnumbered = match *deed {
            Deed::Post(which, _) | Deed::Void(which) | Deed::Refund(which, _) => {
                model.past.get(which).is_some_and(|past| past.number == 0)
            }
            Deed::Close(_) => true,
            Deed::Pay(..) | Deed::Reserve(..) | Deed::Again(_) => *ends,
        };
        if unnumbered {
            group.record(&books, &mut model).await?;
            prop_assert_eq!(books.balances(&accounts).await, model.balance.to_vec());
        }
        let number = |which: usize| model.past.get(which).map_or(9_999, |past| past.number);
        let amounts = |amount: i64| {
            if amount % 2 == 0 && amount > 0 { Amounts::Legs(vec![amount]) } else { Amounts::Part(money(amount)) }
        };
        let order = match *deed {
            Deed::Pay(from, to, amount) => Order::Move(vec![leg(accounts[from], accounts[to], amount)]),
            Deed::Reserve(from, to, amount) => {
                Order::Reserve { legs: vec![leg(accounts[from], accounts[to], amount)], expires_at: None }
            }
            Deed::Post(which, amount) => Order::Post { reservation: number(which), amounts: amounts(amount) },
            Deed::Void(which) => Order::Void { reservation: number(which) },
            Deed::Refund(which, amount) => Order::Refund { transfer: number(which), amounts: amounts(amount) },
            Deed::Close(account) => {
                books.ledger.close(accounts[account]).await.unwrap();
                let _ = model.judge(deed);
                continue;
            }
            Deed::Again(which) => {
                if let Some(request) = done.get(which) {
                    group.requests.push(request.clone());
                    group.expected.push(Ok(None));
                }
                continue;
            }
        };
        let request = Request::new(Key::new("test", &format!("k{}", done.len())).unwrap(), order);
        let length = model.past.len();
        let expected = model.judge(deed).map(|()| (model.past.len() > length).then_some(length));
        if expected.is_ok() {
            done.push(request.clone());
        }
        group.requests.push(request);
        group.expected.push(expected);
    }
    group.record(&books, &mut model).await?;
    prop_assert_eq!(books.balances(&accounts).await, model.balance.to_vec());
    let findings = books.ledger.check().await.unwrap();
    prop_assert!(findings.are_clean(), "{:?}", findings);
    Ok(())
}

fn random(on: On, cases: u32) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases, max_shrink_iters: 60, ..Config::default() });
    let deeds = prop::collection::vec((deeds(), prop::bool::weighted(0.3)), 1..80);
    runner.run(&deeds, |deeds| runtime.block_on(compare(on, deeds))).unwrap();
}

#[test]
fn sqlite_agrees_with_the_model() {
    random(On::Sqlite, 48);
}

#[test]
fn postgres_agrees_with_the_model() {
    random(On::Postgres, 16);
}

proptest! {
    #[test]
    fn parts_are_the_whole(weights in prop::collection::vec(0..=i64::MAX / 64, 1..64), share in 0.0..=1.0_f64) {
        let total: i64 = weights.iter().sum();
        prop_assume!(total > 0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any number will do")]
        let whole = ((total as f64 * share) as i64).min(total);
        let parts = portion(&weights, whole);
        prop_assert_eq!(parts.iter().sum::<i64>(), whole);
        prop_assert!(parts.iter().zip(&weights).all(|(part, weight)| (0..=*weight).contains(part)));
    }
}
