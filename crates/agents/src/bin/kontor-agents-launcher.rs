//! The launcher of sandboxes that this crate's tests start; the command has one of its own.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(u8::try_from(kontor_sandbox::launcher()).unwrap_or(1))
}
