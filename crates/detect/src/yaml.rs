//! YAML with limits, and where in the text each key stands.

use serde_json::Value;

/// A compose file of a megabyte is none.
const LONGEST: usize = 1_000_000;

/// Keys deeper than this are not looked for.
const DEEPEST: usize = 24;

/// Reads one YAML document: anchors and merge keys resolved, limits against what would grow without end.
///
/// # Errors
/// It is too long, too deep, or no YAML.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    if text.len() > LONGEST {
        return Err(format!("longer than {} KB", LONGEST / 1000));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 2,
            max_events: 200_000,
            max_nodes: 100_000,
            max_depth: 64,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        strict_booleans: true,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|why| why.to_string().lines().next().unwrap_or_default().to_owned())
}

/// A key of a block mapping.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    path: Vec<String>,
    line: usize,
    /// Compose's own `!reset` or `!override`, which YAML readers drop.
    tag: Option<Tag>,
}

/// What Compose does with the value of an earlier file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Reset,
    Override,
}

/// The keys of a YAML text by their indentation, as far as block style tells.
#[derive(Debug, Default)]
pub(crate) struct Outline(Vec<Key>);

impl Outline {
    pub fn of(text: &str) -> Self {
        let mut keys = Vec::new();
        let mut above: Vec<(usize, String)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let content = line.trim_start();
            let indent = line.len() - content.len();
            if content.starts_with(['#', '-', '%']) {
                continue;
            }
            let Some((key, value)) = content.split_once(':') else { continue };
            if !(value.is_empty() || value.starts_with([' ', '\t'])) || above.len() > DEEPEST {
                continue;
            }
            above.retain(|(column, _)| *column < indent);
            above.push((indent, key.trim().trim_matches(['"', '\'']).to_owned()));
            let tag = match value.split_whitespace().find(|word| !word.starts_with('&')) {
                Some("!reset") => Some(Tag::Reset),
                Some("!override") => Some(Tag::Override),
                _ => None,
            };
            let path = above.iter().map(|(_, key)| key.clone()).collect();
            keys.push(Key { path, line: number + 1, tag });
        }
        Self(keys)
    }

    /// The line on which a key stands, else the nearest key above it.
    pub fn line(&self, path: &[&str]) -> Option<usize> {
        (1..=path.len()).rev().find_map(|length| {
            let wanted = path.get(..length)?;
            Some(self.0.iter().find(|key| key.path == wanted)?.line)
        })
    }

    /// The keys that carry one of Compose's tags.
    pub fn tagged(&self) -> impl Iterator<Item = (&[String], Tag)> {
        self.0.iter().filter_map(|key| Some((key.path.as_slice(), key.tag?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "x: &x\n  a: 1\nservices:\n  db:\n    image: postgres:16 # the\n    ports: !override\n      - \"1:2\"\n";

    #[test]
    fn a_key_knows_its_line_and_its_tag() {
        let outline = Outline::of(TEXT);

        assert_eq!(outline.line(&["services", "db", "image"]), Some(5));
        assert_eq!(outline.line(&["services", "db", "volumes"]), Some(4));
        let tagged: Vec<_> = outline.tagged().collect();
        assert_eq!(tagged.len(), 1);
        assert_eq!(tagged[0].1, Tag::Override);
    }

    #[test]
    fn merge_keys_and_unknown_tags_are_read() {
        let value = parse("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: !reset null\n").unwrap();

        assert_eq!(value["b"], serde_json::json!({ "x": 1, "y": 3 }));
        assert!(value["c"].is_null());
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..12 {
            let list = vec![format!("*a{}", n - 1); 9].join(",");
            bomb = format!("{bomb}a{n}: &a{n} [{list}]\n");
        }

        assert!(parse(&bomb).is_err());
        assert!(parse(&"[".repeat(5_000)).is_err());
    }
}
