use std::time::Duration;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_hours(1);

/// How long to wait after failed attempt number `attempt` (from 1): doubling from 2 seconds to an hour, up to a quarter more
/// by `jitter` (0 to 1), so that jobs which failed together do not come back together.
pub(crate) fn delay(attempt: i64, jitter: f64) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    let base = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    base + base.mul_f64(jitter.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_and_is_bounded() {
        let seconds: Vec<u64> = [1, 2, 3, 11, 12, 13, i64::MAX].iter().map(|&n| delay(n, 0.0).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 2048, 3600, 3600, 3600]);
        assert_eq!(delay(1, 1.0), Duration::from_millis(2500));
    }
}
