//! Help that fits a screen: `-h` and `--help` are the same, one line for a flag.

use clap::{Arg, ArgAction, Command};

/// Columns that a line of help has at most.
const WIDEST: usize = 100;

/// The command with its whole description in the short form of help.
pub(crate) fn on_one_screen(command: Command) -> Command {
    let about = command.get_long_about().or(command.get_about()).cloned().unwrap_or_default();
    let help = Arg::new("help").short('h').long("help").action(ArgAction::HelpShort).help("Print this");
    let version =
        Arg::new("version").short('V').long("version").action(ArgAction::Version).help("Print the version");
    let shared = Some("Every cleanslate command takes");
    command
        .about(about)
        .long_about(None)
        .max_term_width(WIDEST)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(help.help_heading(shared))
        .arg(version.help_heading(shared))
}
