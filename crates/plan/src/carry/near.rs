//! What has another name by now and is the same for all that: guessed only where nothing else could be meant.

use super::shape::{Column, Table};

/// Pairs of which either side has no other candidate.
pub(super) fn pairs<'a, T>(
    old: &[&'a T],
    new: &[&'a T],
    is_like: impl Fn(&T, &T) -> bool,
) -> Vec<(&'a T, &'a T)> {
    let candidates: Vec<(usize, usize)> = (0..old.len())
        .flat_map(|a| (0..new.len()).map(move |b| (a, b)))
        .filter(|(a, b)| matches!((old.get(*a), new.get(*b)), (Some(a), Some(b)) if is_like(a, b)))
        .collect();
    let alone = |pair: &&(usize, usize)| {
        candidates.iter().filter(|other| other.0 == pair.0 || other.1 == pair.1).count() == 1
    };
    let found = candidates.iter().filter(alone);
    found.filter_map(|(a, b)| Some((*old.get(*a)?, *new.get(*b)?))).collect()
}

/// Most columns are the same, and none of the new table's would refuse a row.
pub(super) fn tables(old: &Table, new: &Table) -> bool {
    let same = |column: &&Column| {
        new.columns.iter().any(|other| other.name == column.name && other.base == column.base)
    };
    let shared = old.columns.iter().filter(same).count();
    shared * 3 >= old.columns.len().max(new.columns.len()) * 2 && shared > 0
}

/// One type, and one name that is most of the other.
pub(super) fn columns(old: &Column, new: &Column) -> bool {
    (old.base == new.base || (old.text && new.text)) && is_near(&old.name, &new.name)
}

fn is_near(old: &str, new: &str) -> bool {
    let (old, new) = (plain(old), plain(new));
    let (short, long) = if old.len() < new.len() { (&old, &new) } else { (&new, &old) };
    let within = short.len() >= 4 && short.len() * 5 >= long.len() * 3 && long.contains(short.as_str());
    within || strsim::damerau_levenshtein(short, long) * 3 <= long.len()
}

/// `createdAt`, `created_at` and `CREATED-AT` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn a_name_is_near_where_most_of_it_stayed() {
        for (old, new) in
            [("mail", "email"), ("full_name", "fullName"), ("created", "created_at"), ("adress", "address")]
        {
            assert!(is_near(old, new), "{old} {new}");
        }
        for (old, new) in [("name", "email"), ("a", "id"), ("price", "notes"), ("phone", "phone_hash")] {
            assert!(!is_near(old, new), "{old} {new}");
        }
    }
}
