//! Edits of the user's justfile, and the way back from each: a fenced block at its end, a recipe renamed, a guard put
//! before a recipe's first dependency. Pure; nothing is reformatted.

/// The first and the last line of our block.
const OPENS: &str = "# >>> cleanslate: made by slate-init, taken out by slate-init --remove";
const CLOSES: &str = "# <<< cleanslate";

/// How an import of the recipes begins.
const IMPORTS: &str = "import?";

/// The recipes of the module as recipes that stand among the user's own: `reset` is `db-reset`, and `db` looks.
pub(crate) fn prefixed(module: &str) -> String {
    let (theirs, ours) = (Joins::Module.parameters(), Joins::Import.parameters());
    let prefix = Joins::Import.prefix();
    let lines =
        module.lines().filter(|line| !line.starts_with("set ") && !line.starts_with("# cleanslate's"));
    let lines = lines.map(|line| match (line.strip_suffix(theirs.0), line.strip_prefix("    @")) {
        (Some(name), _) => format!("{prefix}{name}{}", ours.0),
        (_, Some(command)) => format!("    @{}{}", ours.1, command.replace(theirs.2, ours.2)),
        _ => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    format!(
        "# cleanslate's recipes, for a just without modules.\n\nalias {MODULE} := {prefix}status\n\n{}\n",
        text.trim_start()
    )
}

/// The names of what [`prefixed`] gives.
pub(crate) fn prefixed_names(module: &str) -> impl Iterator<Item = String> {
    let recipes = module.lines().filter_map(|line| line.strip_suffix(Joins::Module.parameters().0));
    recipes.map(|name| format!("{}{name}", Joins::Import.prefix())).chain(["SLATE_RECIPE".to_owned()])
}

/// What the module is called.
pub(crate) const MODULE: &str = "db";

/// The recipes that stand at the top of the justfile where their names are free.
pub(crate) const DAILY: [(&str, &str); 4] = [
    ("up", "start the services, wait until they answer, make sure the database is there"),
    ("down", "stop the services; all data stays"),
    ("clean", "remove containers, networks and volumes, after a copy; asks first"),
    ("restart", "restart the configured services, and wait until each answers"),
];

/// How our recipes come into the justfile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Joins {
    /// `just db reset`.
    #[default]
    Module,
    /// `just db-reset`, for a `just` that has no modules.
    Import,
}

impl Joins {
    /// A recipe's parameters, and how its line hands them on. What imports know of parameters keeps no spaces in them.
    fn parameters(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Module => (" *ARGS:", "", "\"$@\""),
            Self::Import => (" *$ARGS:", "set -f; ", "$ARGS"),
        }
    }

    /// What a recipe of ours is called, as a text before its name.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Module => "db",
            Self::Import => "db-",
        }
    }
}

/// What is to stand in the block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub joins: Joins,
    /// Daily recipes of ours.
    pub daily: Vec<String>,
    /// Recipes of the user's that a guard stands before.
    pub guarded: Vec<String>,
}

/// How a text ends its lines.
fn ending(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The private name that a taken recipe goes by.
pub(crate) fn original(recipe: &str) -> String {
    format!("{recipe}-original")
}

/// The private recipe that stands before a guarded one.
pub(crate) fn guard(recipe: &str) -> String {
    format!("_slate-guard-{recipe}")
}

/// The text without anything of ours, as it was before.
pub(crate) fn without(text: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let plain = |line: &str| line.trim_end_matches(['\n', '\r']).to_owned();
    let mut block = Block::default();
    let mut out: Vec<String> = Vec::new();
    let mut inside = false;
    let mut bare = false;
    for line in &lines {
        let content = plain(line);
        if content.starts_with(OPENS) {
            inside = true;
            // The empty line before the block is ours, and so is an end of line that the text did not have.
            if out.last().is_some_and(|line| plain(line).is_empty()) {
                out.pop();
            }
            bare = content.ends_with("(no final newline)");
        } else if inside {
            if let Some(name) = content.strip_prefix("_slate-guard-").and_then(|rest| rest.strip_suffix(':'))
            {
                block.guarded.push(name.to_owned());
            }
            inside = content != CLOSES;
        } else {
            out.push((*line).to_owned());
        }
    }
    if bare && let Some(last) = out.last_mut() {
        last.truncate(plain(last).len());
    }
    let unguarded = out.into_iter().map(|line| {
        let found = block.guarded.iter().find(|name| is_header(&line, name));
        found.map_or(line.clone(), |name| line.replacen(&format!(" {}", guard(name)), "", 1))
    });
    give_back(&unguarded.collect::<Vec<_>>())
}

/// Takes back each `[private]` that stands right above a recipe called `*-original`.
fn give_back(lines: &[String]) -> String {
    let mut out = String::new();
    let mut rest = lines.iter().peekable();
    while let Some(line) = rest.next() {
        let next = rest.peek().and_then(|next| Some((next, renamed(next)?)));
        match next {
            Some((_, name)) if line.trim_end() == "[private]" => {
                let header = rest.next().map(String::as_str).unwrap_or_default();
                out.push_str(&header.replacen(&original(&name), &name, 1));
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// The name that a header `up-original:` had.
fn renamed(line: &str) -> Option<String> {
    let quiet = line.strip_prefix('@').unwrap_or(line);
    let word = quiet.split(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).next()?;
    let name = word.strip_suffix("-original")?;
    (header_colon(line).is_some() && !name.is_empty()).then(|| name.to_owned())
}

/// Whether a line is the header of this recipe.
fn is_header(line: &str, recipe: &str) -> bool {
    let quiet = line.strip_prefix('@').unwrap_or(line);
    let rest = quiet.strip_prefix(recipe);
    let ends = rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "_-".contains(c)));
    ends && header_colon(line).is_some()
}

/// Where the colon of a recipe's header stands; `None` for any other line.
fn header_colon(line: &str) -> Option<usize> {
    if line.starts_with([' ', '\t', '#', '[']) {
        return None;
    }
    let mut quote: Option<char> = None;
    let mut depth = 0_i32;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ':') if depth == 0 => {
                return (!line.get(at + 1..).unwrap_or_default().starts_with('=')).then_some(at);
            }
            _ => {}
        }
    }
    None
}

/// The text with our block, with these of the user's recipes renamed. A text that already has something of ours is first
/// freed of it, so that a second run changes nothing.
///
/// # Errors
/// A recipe has no header that can be found: it comes from an import, or is written in a way not known here.
pub(crate) fn with(text: &str, block: &Block, taken: &[String]) -> Result<String, String> {
    let mut out = without(text);
    let end = ending(&out);
    for recipe in taken {
        out = edited(&out, recipe, |line, _| {
            let renamed = line.replacen(recipe.as_str(), &original(recipe), 1);
            format!("[private]{end}{renamed}")
        })?;
    }
    for recipe in &block.guarded {
        out = edited(&out, recipe, |line, colon| {
            let (head, rest) = line.split_at(colon + 1);
            format!("{head} {}{rest}", guard(recipe))
        })?;
    }
    let mut opens = OPENS.to_owned();
    if !out.is_empty() && !out.ends_with('\n') {
        opens.push_str(" (no final newline)");
        out.push_str(end);
    }
    if !out.is_empty() {
        out.push_str(end);
    }
    for line in std::iter::once(opens).chain(lines(block, taken)).chain([CLOSES.to_owned()]) {
        out.push_str(&line);
        out.push_str(end);
    }
    Ok(out)
}

fn edited(text: &str, recipe: &str, edit: impl Fn(&str, usize) -> String) -> Result<String, String> {
    let mut found = false;
    let lines = text.split_inclusive('\n').map(|line| {
        match header_colon(line).filter(|_| !found && is_header(line, recipe)) {
            Some(colon) => {
                found = true;
                edit(line, colon)
            }
            None => line.to_owned(),
        }
    });
    let out: String = lines.collect();
    if found { Ok(out) } else { Err(format!("recipe `{recipe}` does not stand in the justfile itself")) }
}

fn lines(block: &Block, taken: &[String]) -> Vec<String> {
    let mut lines = vec![
        match block.joins {
            Joins::Module => {
                "# the database: `just db` shows its state, `just --list db` the rest".to_owned()
            }
            Joins::Import => "# the database: `just db` shows its state, `just --list` the rest".to_owned(),
        },
        match block.joins {
            Joins::Module => format!("mod? {MODULE} 'cleanslate.just'"),
            Joins::Import => format!("{IMPORTS} 'cleanslate.just'"),
        },
    ];
    let (parameters, before, _) = block.joins.parameters();
    for (name, says) in DAILY.iter().filter(|(name, _)| block.daily.iter().any(|daily| daily == name)) {
        lines.extend([String::new(), format!("# {says}"), "[no-exit-message]".to_owned()]);
        if block.joins == Joins::Module {
            lines.push("[positional-arguments]".to_owned());
        }
        lines.extend([format!("{name}{parameters}"), format!("    @{before}{}", line(block, name, taken))]);
    }
    for name in &block.guarded {
        let missing =
            format!("echo 'cleanslate: slate-guard is not on PATH, so `{name}` is not guarded' >&2");
        lines.extend([
            String::new(),
            "[private]".to_owned(),
            "[no-exit-message]".to_owned(),
            format!("{}:", guard(name)),
            format!("    @if command -v slate-guard >/dev/null 2>&1; then SLATE_RECIPE={} slate-guard {name}; else {missing}; fi", called(block)),
        ]);
    }
    lines
}

/// Calls a daily recipe's binary; without it the recipe whose place it took.
fn line(block: &Block, name: &str, taken: &[String]) -> String {
    let (_, _, arguments) = block.joins.parameters();
    let ours = format!("SLATE_RECIPE={} slate-{name} {arguments}", called(block));
    if taken.iter().all(|taken| taken != name) {
        return ours;
    }
    let theirs = original(name);
    let missing = format!("echo 'cleanslate: slate-{name} is not on PATH, so `{theirs}` runs' >&2");
    let calls = "'{{just_executable()}}' --justfile '{{justfile()}}'";
    format!(
        "if command -v slate-{name} >/dev/null 2>&1; then {ours}; else {missing}; {calls} {theirs} {arguments}; fi"
    )
}

/// What tells a binary how it was called.
pub(crate) fn called(block: &Block) -> String {
    if DAILY.iter().all(|(name, _)| block.daily.iter().any(|daily| daily == name)) {
        return block.joins.prefix().to_owned();
    }
    format!("{}:{}", block.joins.prefix(), block.daily.join(","))
}

/// What of ours a text has: the daily recipes, the guarded ones, the taken ones.
pub(crate) fn present(text: &str) -> Option<(Block, Vec<String>)> {
    let inside: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with(OPENS))
        .take_while(|line| line.trim_end() != CLOSES)
        .collect();
    if inside.is_empty() {
        return None;
    }
    let names = |start: &str, end: &str| -> Vec<String> {
        let found = inside.iter().filter_map(|line| line.trim_end().strip_prefix(start)?.strip_suffix(end));
        found.map(str::to_owned).collect()
    };
    let imports = inside.iter().any(|line| line.starts_with(IMPORTS));
    let joins = if imports { Joins::Import } else { Joins::Module };
    let block = Block { joins, daily: names("", joins.parameters().0), guarded: names("_slate-guard-", ":") };
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| match pair {
        [above, header] if above.trim_end() == "[private]" => renamed(header),
        _ => None,
    });
    Some((block, pairs.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "set shell := ['bash', '-c']\n\n# start\nup *args: (wait \"a:b\") pull\n\techo up\n\nclean-docker: down\n\tdocker compose down -v\n\ndown:\n\techo down\n\nalias u := up\n";

    fn block() -> Block {
        let daily = vec!["up".to_owned(), "restart".to_owned()];
        Block { daily, guarded: vec!["clean-docker".to_owned()], ..Block::default() }
    }

    #[test]
    fn every_edit_is_taken_back_byte_for_byte() {
        let no_end = THEIRS.trim_end();
        let windows = THEIRS.replace('\n', "\r\n");
        let texts = [THEIRS, no_end, &windows, "", "up:", &format!("{THEIRS}\n\n")];
        for (text, joins) in texts.into_iter().flat_map(|text| [(text, Joins::Module), (text, Joins::Import)])
        {
            let guarded = if text.len() > 10 { block() } else { Block { guarded: Vec::new(), ..block() } };
            let guarded = Block { joins, ..guarded };
            let taken = if text.is_empty() { vec![] } else { vec!["up".to_owned()] };

            let ours = with(text, &guarded, &taken).unwrap();

            assert_ne!(ours, text);
            assert_eq!(without(&ours), text);
            assert_eq!(with(&ours, &guarded, &taken).unwrap(), ours, "a second run changes nothing");
        }
    }

    #[test]
    fn a_taken_recipe_is_renamed_and_a_guard_comes_first() {
        let ours = with(THEIRS, &block(), &["up".to_owned()]).unwrap();

        assert!(ours.contains("[private]\nup-original *args: (wait \"a:b\") pull\n"), "{ours}");
        assert!(ours.contains("\nclean-docker: _slate-guard-clean-docker down\n"), "{ours}");
        assert!(ours.contains("alias u := up\n") && ours.contains("\ndown:\n"));
        assert_eq!(present(&ours), Some((block(), vec!["up".to_owned()])));
        assert_eq!(present(THEIRS), None);
    }

    #[test]
    fn a_just_without_modules_gets_recipes_with_a_prefix() {
        let module = "# cleanslate's, joined\n\nset positional-arguments\n\n# back\n[no-exit-message]\nreset *ARGS:\n    @slate-reset \"$@\"\n";

        let ours = prefixed(module);

        assert!(ours.contains("\nalias db := db-status\n\n# back\n[no-exit-message]\ndb-reset *$ARGS:\n    @set -f; slate-reset $ARGS\n"), "{ours}");
        assert!(!ours.contains("set positional"), "an import's settings would be the user's: {ours}");
        let block = Block { joins: Joins::Import, ..block() };
        let joined = with(THEIRS, &block, &[]).unwrap();
        assert!(
            joined.contains("\nimport? 'cleanslate.just'\n") && !joined.contains("positional"),
            "{joined}"
        );
        assert_eq!(present(&joined), Some((block, Vec::new())));
    }

    #[test]
    fn a_recipe_that_is_not_there_is_told() {
        assert!(with(THEIRS, &Block::default(), &["nothing".to_owned()]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back_byte_for_byte(lines in proptest::collection::vec("(up|down|@up|clean a='b: c')?(:=| *: *|::)?[ -~\t]{0,12}(\r\n|\n|)", 0..12)) {
            let text: String = lines.concat();
            for taken in [vec![], vec!["up".to_owned()]] {
                let block = Block { daily: vec!["up".to_owned()], ..Block::default() };
                if let Ok(ours) = with(&text, &block, &taken) {
                    proptest::prop_assert_eq!(without(&ours), text.clone());
                }
            }
        }
    }
}
