//! What the databases say about how they will run a statement.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

/// Indexes of SQLite that hold only some rows.
const PARTIAL: &str = "select name from sqlite_master where type = 'index' and sql like '% where %'";

/// Statements that read a whole table or index, each with the line of its plan that says so.
///
/// SQLite may walk an index in the order that is wanted, as long as a limit ends the walk, and an index that holds only
/// what is asked for.
pub async fn on_sqlite(url: &str, statements: &[String]) -> Vec<String> {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let partial: Vec<String> = sqlx::query_scalar(PARTIAL).fetch_all(&mut connection).await.unwrap();
    let mut scans = Vec::new();
    for sql in statements {
        let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {sql}"))).fetch_all(&mut connection);
        let plan: Vec<String> = plan.await.unwrap().iter().map(|row| row.get("detail")).collect();
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
        let is_scan = |step: &&String| {
            let is_walk = step.contains(" USING ") && sql.contains(" limit ") && !sorts;
            let is_partial = partial.iter().any(|index| step.split(' ').any(|word| word == index));
            step.starts_with("SCAN ") && !is_derived(step) && !is_walk && !is_partial
        };
        scans.extend(plan.iter().find(is_scan).map(|step| format!("{step}: {sql}")));
    }
    scans
}

/// Rows that the statement itself made; the steps that made them are judged apart.
fn is_derived(step: &str) -> bool {
    ["side", "u", "CONSTANT", "(subquery"].contains(&step.split(' ').nth(1).unwrap_or_default())
}

/// Postgres is told that reading a whole table is dear; when it still does, there is no other way.
pub async fn on_postgres(url: &str, statements: &[String]) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    for setting in ["set enable_seqscan = off", "set plan_cache_mode = force_generic_plan"] {
        sqlx::query(setting).execute(&mut connection).await.unwrap();
    }
    let mut scans = Vec::new();
    for sql in statements {
        let values = (1..1_000).take_while(|number| sql.contains(&format!("${number}"))).count();
        let values = if values == 0 { String::new() } else { format!("({})", vec!["null"; values].join(", ")) };
        let mut run = async |text: String| sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
        run(format!("prepare plan as {sql}")).await;
        let plan: Vec<String> =
            run(format!("explain execute plan{values}")).await.iter().map(|row| row.get(0)).collect();
        run("deallocate plan".to_owned()).await;
        scans.extend(plan.iter().find(|step| step.contains("Seq Scan on")).map(|step| format!("{step}: {sql}")));
    }
    scans
}
