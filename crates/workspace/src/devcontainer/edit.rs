//! Edits of the user's devcontainer.json, and the way back from each: a Feature among the others, and our hook at the end
//! of their own. Pure; nothing is reformatted, and what could not be taken back byte for byte is not done.

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// What the hook is: in words for a shell, and as a name among hooks that run side by side.
const HOOK: &str = "slate-ensure --exit-zero";
const NAME: &str = "cleanslate";

/// After the user's own command.
const AFTER: &str = " && slate-ensure --exit-zero";
/// Before a command that nothing can be put after: a comment or a line of its own ends it.
const BEFORE: &str = "slate-ensure --exit-zero; ";
/// Before the words of a command that takes no shell.
const THROUGH: &str = r#""sh", "-c", "\"$@\" && slate-ensure --exit-zero", "sh", "#;

/// The text with the Feature and the hook. One that has them already is first freed of them.
///
/// # Errors
/// Why the file can't be edited: it is no object, or an edit would not come out again as it went in.
pub(super) fn with(text: &str, feature: &str) -> Result<String, String> {
    let before = without(text);
    let hooked = hook(&before)?;
    let after = add_feature(&hooked, feature)?;
    if without(&after) == before {
        Ok(after)
    } else {
        Err("it is written in a way not known here".to_owned())
    }
}

/// The text without anything of ours.
pub(super) fn without(text: &str) -> String {
    let text = unhook(text).unwrap_or_else(|| text.to_owned());
    remove_feature(&text).unwrap_or(text)
}

/// Runs with the file's outermost object.
fn read<T>(text: &str, look: impl FnOnce(&Object<'_>) -> T) -> Result<T, String> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    match parsed.map_err(|why| why.to_string())?.value {
        Some(Value::Object(object)) => Ok(look(&object)),
        _ => Err("it is no JSON object".to_owned()),
    }
}

/// A piece of the text in another's place.
fn replaced(text: &str, start: usize, end: usize, piece: &str) -> Option<String> {
    Some(format!("{}{piece}{}", text.get(..start)?, text.get(end..)?))
}

fn property<'o, 'a>(object: &'o Object<'a>, name: &str) -> Option<&'o ObjectProp<'a>> {
    object.properties.iter().find(|property| property.name.as_str() == name)
}

/// Puts a property into an object, before the last one that has nothing but space before it. The text between is the
/// same again, so that it can be cut out from one beginning to the next.
fn put(text: &str, object: &Object<'_>, property: &str) -> Option<String> {
    let starts = object.properties.iter().map(jsonc_parser::common::Ranged::start).rev();
    let spaced = starts.filter_map(|start| {
        let before = text.get(..start)?;
        let bare = before.trim_end();
        bare.ends_with(['{', ',']).then(|| (start, before.get(bare.len()..).unwrap_or_default()))
    });
    match spaced.into_iter().next() {
        Some((start, space)) => replaced(text, start, start, &format!("{property},{space}")),
        None if object.properties.is_empty() => {
            replaced(text, object.start() + 1, object.start() + 1, property)
        }
        None => None,
    }
}

/// Cuts a property out again.
fn cut(text: &str, object: &Object<'_>, name: &str) -> Option<String> {
    let at = object.properties.iter().position(|one| one.name.as_str() == name)?;
    let own = object.properties.get(at)?;
    match (object.properties.get(at + 1), at.checked_sub(1).and_then(|at| object.properties.get(at))) {
        (Some(next), _) => replaced(text, own.start(), next.start(), ""),
        // Somebody moved it to the end since.
        (None, Some(before)) => replaced(text, before.end(), own.end(), ""),
        (None, None) => replaced(text, own.start(), own.end(), ""),
    }
}

/// Whether a Feature is ours, wherever it comes from.
pub(super) fn is_ours(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    last.split([':', '@']).next() == Some(NAME)
}

fn add_feature(text: &str, feature: &str) -> Result<String, String> {
    let name = serde_json::Value::String(feature.to_owned()).to_string();
    let added = read(text, |root| match property(root, "features").map(|found| &found.value) {
        None => put(text, root, &format!("\"features\": {{ {name}: {{}} }}")),
        // That there were none is told by an option that says what is so anyway.
        Some(Value::Object(features)) if features.properties.is_empty() => {
            put(text, features, &format!("{name}: {{ \"setup\": true }}"))
        }
        Some(Value::Object(features)) => put(text, features, &format!("{name}: {{}}")),
        Some(_) => None,
    })?;
    added.ok_or_else(|| "its features are written in a way not known here".to_owned())
}

fn remove_feature(text: &str) -> Option<String> {
    read(text, |root| {
        let features = property(root, "features")?.value.as_object()?;
        let own = features.properties.iter().find(|one| is_ours(one.name.as_str()))?;
        let has_options = own.value.as_object().is_some_and(|options| !options.properties.is_empty());
        if features.properties.len() == 1 && !has_options {
            return cut(text, root, "features");
        }
        cut(text, features, own.name.as_str())
    })
    .ok()?
}

/// Our hook after the user's own, so that it finds what theirs installed. Where they have none the Feature's own does.
fn hook(text: &str) -> Result<String, String> {
    let hooked = read(text, |root| {
        let Some(found) = property(root, COMMAND) else { return Some(text.to_owned()) };
        match &found.value {
            Value::StringLit(command) => {
                let last = command.value.trim_end().chars().last().unwrap_or(';');
                let is_plain = !command.value.contains(['#', '\n', '\\']) && !";&|({".contains(last);
                let (start, end) = (command.start() + 1, command.end() - 1);
                if is_plain { replaced(text, end, end, AFTER) } else { replaced(text, start, start, BEFORE) }
            }
            Value::Array(words) => {
                let first = words.elements.first()?.start();
                replaced(text, first, first, THROUGH)
            }
            Value::Object(side_by_side) => put(text, side_by_side, &format!("\"{NAME}\": \"{HOOK}\"")),
            _ => None,
        }
    })?;
    hooked.ok_or_else(|| format!("its {COMMAND} is written in a way not known here"))
}

const COMMAND: &str = "postCreateCommand";

fn unhook(text: &str) -> Option<String> {
    read(text, |root| {
        let found = property(root, COMMAND)?;
        let written = text.get(found.value.start()..found.value.end())?;
        let (start, end) = (found.value.start() + 1, found.value.end() - 1);
        match &found.value {
            Value::StringLit(_) if written.get(1..)?.starts_with(BEFORE) => {
                replaced(text, start, start + BEFORE.len(), "")
            }
            Value::StringLit(_) if written.get(..written.len() - 1)?.ends_with(AFTER) => {
                replaced(text, end - AFTER.len(), end, "")
            }
            Value::Array(words) => {
                let first = words.elements.first()?.start();
                text.get(first..)?
                    .starts_with(THROUGH)
                    .then(|| replaced(text, first, first + THROUGH.len(), ""))?
            }
            Value::Object(side_by_side) => cut(text, side_by_side, NAME),
            _ => None,
        }
    })
    .ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "// ours\n{\n\t\"name\": \"Shop\", // the shop\n\t\"image\": \"debian\",\n\t/* ports */\n\t\"forwardPorts\": [3000,],\n\t\"postCreateCommand\": \"npm ci\",\n}\n";

    const FEATURE: &str = "./cleanslate";

    #[track_caller]
    fn comes_out_again(text: &str) -> String {
        let ours = with(text, FEATURE).unwrap();

        assert_ne!(ours, text);
        assert_eq!(without(&ours), text);
        assert_eq!(with(&ours, FEATURE).unwrap(), ours, "a second run changes nothing");
        ours
    }

    #[test]
    fn comments_tabs_and_trailing_commas_stay() {
        let ours = comes_out_again(THEIRS);

        assert_eq!(
            ours,
            THEIRS.replace(
                "\t\"postCreateCommand\": \"npm ci\"",
                "\t\"features\": { \"./cleanslate\": {} },\n\t\"postCreateCommand\": \"npm ci && slate-ensure --exit-zero\""
            )
        );
        comes_out_again(&THEIRS.replace('\n', "\r\n"));
        comes_out_again("{}");
        comes_out_again("{\"name\":\"x\"}");
        comes_out_again("{ \"features\": {} }");
        comes_out_again("{ \"features\": { /* none */ }, }");
        comes_out_again("{\n  \"features\": {\n    \"a/b/c:1\": {}, // c\n  }\n}\n");
    }

    #[test]
    fn the_hook_follows_in_every_form() {
        let hooked = |command: &str| {
            let ours = comes_out_again(&format!("{{\n  \"postCreateCommand\": {command}\n}}\n"));
            let (_, after) = ours.split_once("\"postCreateCommand\": ").unwrap();
            after.trim_end_matches("\n}\n").to_owned()
        };

        assert_eq!(hooked("\"make a; make b\""), "\"make a; make b && slate-ensure --exit-zero\"");
        assert_eq!(hooked("\"make # all\""), "\"slate-ensure --exit-zero; make # all\"");
        assert_eq!(hooked("\"make &\""), "\"slate-ensure --exit-zero; make &\"");
        assert_eq!(
            hooked("[\"npm\", \"ci\"]"),
            r#"["sh", "-c", "\"$@\" && slate-ensure --exit-zero", "sh", "npm", "ci"]"#
        );
        assert_eq!(
            hooked("{ \"a\": \"npm ci\" }"),
            "{ \"cleanslate\": \"slate-ensure --exit-zero\", \"a\": \"npm ci\" }"
        );
    }

    #[test]
    fn what_is_not_understood_is_left() {
        for text in ["", "[]", "{ \"features\": [] }", "{ \"postCreateCommand\": null }", "{ \"a\": "] {
            assert!(with(text, FEATURE).is_err(), "{text}");
            assert_eq!(without(text), text);
        }
    }

    #[test]
    fn a_feature_of_ours_is_known_wherever_it_comes_from() {
        for name in ["./cleanslate", "ghcr.io/a/b/cleanslate:1", "https://x/cleanslate@sha256"] {
            assert!(is_ours(name), "{name}");
        }
        assert!(!is_ours("ghcr.io/a/cleanslate/other:1"));
    }

    proptest::proptest! {
        #[test]
        fn any_file_comes_back_byte_for_byte(pieces in proptest::collection::vec(
            "(\"(features|postCreateCommand|a|b)\":? ?|[{}\\[\\],:]|//[a-z]*\n|/\\* \\*/|[ \t\r\n]|\"[a-z &;#]*\"|\\{ *\\}|1)", 0..14)) {
            let text = format!("{{{}}}", pieces.concat());
            if let Ok(ours) = with(&text, FEATURE) {
                proptest::prop_assert_eq!(without(&ours), without(&text));
            }
        }
    }
}
