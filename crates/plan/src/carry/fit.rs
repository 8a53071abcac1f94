//! Which table's rows go where, column by column, and what stands against it.

use serde::{Deserialize, Serialize};

use super::near;
use super::shape::{Column, Shape, Table, TableName};
use super::{Fate, Rules};
use crate::{Exit, Fault, words};

/// A table of the old database, and where its rows go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    pub from: TableName,
    /// Its rows are its partitions', so that they are read through it; another table's children are not.
    pub partitioned: bool,
    /// `None`: no table of the new database takes them.
    pub to: Option<TableName>,
    /// As `partitioned`, of the new table.
    pub to_partitioned: bool,
    pub columns: Vec<Pair>,
    /// Columns of the old table whose values nothing takes.
    pub left: Vec<String>,
    /// Columns of the new table that take values.
    pub written: Vec<String>,
    /// Columns of the new table that tell two rows apart: all but those that are made up or computed.
    pub telling: Vec<String>,
    /// Why no row of it can be carried, if it holds any.
    pub fate: Fate,
    pub notes: Vec<String>,
}

/// A column and what takes its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub from: String,
    pub to: String,
    /// The type to read the values as, where that is another one by now that the old database knows.
    pub cast: Option<String>,
    /// How a person reads that its type is another one.
    pub retyped: Option<String>,
    /// The condition of the values that are others after it, where the old database can tell.
    pub changes: Option<String>,
    /// Labels that the new enum does not have any more.
    pub gone: Vec<String>,
}

/// Finds a place for every table's rows.
///
/// # Errors
/// A table to keep that is not there; a rename to something that is not there.
///
/// ```
/// use plan::carry::{Fate, Rules, Shape, fits};
/// let shape = |text: &str| serde_json::from_str::<Shape>(text).unwrap();
/// let old = shape(r#"{"tables": [{"schema": "public", "name": "users", "partitioned": false, "root": null, "columns": []}]}"#);
/// let fits = fits(&old, &Shape::default(), &Rules::default()).unwrap();
/// assert_eq!(fits[0].fate, Fate::Left("there is no such table any more".into()));
/// ```
pub fn fits(old: &Shape, new: &Shape, rules: &Rules) -> Result<Vec<Fit>, Fault> {
    let renames = Renames::new(old, new, rules)?;
    known(old, &rules.keep)?;
    let fit = |table: &Table| {
        let wanted = rules.keep.is_empty() || rules.keep.iter().any(|name| table.name.is_called(name));
        let target = renames.table(table, new);
        let mut fit = Fit {
            from: table.name.clone(),
            partitioned: table.partitioned,
            to: target.map(|target| target.name.clone()),
            to_partitioned: target.is_some_and(|target| target.partitioned),
            columns: Vec::new(),
            left: Vec::new(),
            written: Vec::new(),
            telling: Vec::new(),
            fate: Fate::Carried,
            notes: Vec::new(),
        };
        match target {
            _ if !wanted => fit.fate = Fate::Unwanted,
            None => fit.fate = Fate::Left("there is no such table any more".to_owned()),
            Some(target) => columns(&mut fit, table, target, rules),
        }
        fit
    };
    Ok(old.whole().map(fit).collect())
}

fn known(old: &Shape, keep: &[String]) -> Result<(), Fault> {
    let names: Vec<String> = old.whole().map(|table| table.name.to_string()).collect();
    let unknown = keep.iter().find(|name| !old.whole().any(|table| table.name.is_called(name)));
    let Some(unknown) = unknown else { return Ok(()) };
    let fault = Fault::new(Exit::Usage, format!("there is no table `{unknown}` to keep"))
        .cause(format!("the database holds {}", words::list(&names)))
        .state("nothing was changed");
    Err(match words::nearest(unknown, names.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    })
}

/// Pairs the columns of two tables.
fn columns(fit: &mut Fit, old: &Table, new: &Table, rules: &Rules) {
    if old.name != new.name {
        fit.notes.push(format!("is `{}` now", new.name));
    }
    let written = |column: &&Column| !column.generated;
    let mut free: Vec<&Column> = new.columns.iter().filter(written).collect();
    let mut lone: Vec<&Column> = Vec::new();
    let mut found: Vec<(&Column, &Column)> = Vec::new();
    for column in &old.columns {
        let told = told(column, old, new, rules);
        let name = told.as_deref().unwrap_or(&column.name);
        match free.iter().position(|other| other.name == name) {
            // A rule comes before a name that stayed: what the rule names is that column's.
            Some(at) if told.is_some() || !is_taken(name, old, new, rules) => {
                found.push((column, free.swap_remove(at)));
            }
            _ => lone.push(column),
        }
    }
    let near = near::pairs(&lone, &free, near::columns);
    lone.retain(|column| !near.iter().any(|(old, _)| old.name == column.name));
    free.retain(|column| !near.iter().any(|(_, new)| new.name == column.name));
    let renamed = found.iter().filter(|(old, new)| old.name != new.name).chain(&near);
    fit.notes.extend(renamed.map(|(old, new)| format!("`{}` is `{}` now", old.name, new.name)));
    fit.columns = found.iter().chain(&near).map(|(old, new)| pair(old, new)).collect();
    fit.left = lone.iter().filter(|column| !column.generated).map(|column| column.name.clone()).collect();
    let written = new.columns.iter().filter(written);
    fit.written = written.map(|column| column.name.clone()).collect();
    let telling = new.columns.iter().filter(|column| !column.generated && !column.made_up);
    fit.telling = telling.map(|column| column.name.clone()).collect();
    let demanding: Vec<&str> =
        free.iter().filter(|column| column.is_demanding()).map(|column| column.name.as_str()).collect();
    if !demanding.is_empty() {
        let verb = if demanding.len() == 1 { "is" } else { "are" };
        let list = words::list(&demanding);
        let like =
            |column: &&&Column| free.iter().any(|free| free.is_demanding() && free.base == column.base);
        let was = lone.iter().find(like).map_or(String::new(), |column| {
            format!("; if it was `{}`, rebuild.rename can say so", column.name)
        });
        fit.fate = Fate::Left(format!("{list} {verb} new, must not be null and has no default{was}"));
    } else if fit.columns.is_empty() {
        fit.fate = Fate::Left("none of its columns is left".to_owned());
    }
}

/// What a rule calls a column by now.
fn told(column: &Column, old: &Table, new: &Table, rules: &Rules) -> Option<String> {
    let rule = rules.rename.iter().find(|(from, _)| is_column(from, &old.name, &column.name));
    let (_, to) = rule?;
    let is_new = |other: &&Column| {
        is_column(to, &new.name, &other.name) || is_column(to, &old.name, &other.name) || *to == other.name
    };
    new.columns.iter().find(is_new).map(|column| column.name.clone())
}

fn is_taken(name: &str, old: &Table, new: &Table, rules: &Rules) -> bool {
    old.columns.iter().any(|column| told(column, old, new, rules).as_deref() == Some(name))
}

fn is_column(rule: &str, table: &TableName, column: &str) -> bool {
    let of = rule.strip_suffix(column).and_then(|rest| rest.strip_suffix('.'));
    of.is_some_and(|of| table.is_called(of))
}

fn pair(old: &Column, new: &Column) -> Pair {
    let retyped = old.kind != new.kind;
    let gone = match (&old.labels, &new.labels) {
        (Some(old), Some(new)) => old.iter().filter(|label| !new.contains(label)).cloned().collect(),
        _ => Vec::new(),
    };
    let column = old.quoted();
    let changes = format!("CAST(CAST({column} AS {}) AS {}) IS DISTINCT FROM {column}", new.kind, old.kind);
    Pair {
        from: old.name.clone(),
        to: new.name.clone(),
        // What the old database does not know is read as text, and the new type makes of it what it can.
        cast: (old.base != new.base && old.builtin && new.builtin).then(|| new.base.clone()),
        retyped: retyped.then(|| format!("{} is {} now", old.kind, new.kind)),
        changes: (retyped && old.builtin && new.builtin).then_some(changes),
        gone,
    }
}

/// Tables that have another name by now.
struct Renames(Vec<(TableName, TableName)>);

impl Renames {
    fn new(old: &Shape, new: &Shape, rules: &Rules) -> Result<Self, Fault> {
        let mut renames = Vec::new();
        for (from, to) in &rules.rename {
            if let Some(table) = old.whole().find(|table| table.name.is_called(from)) {
                let target = new.whole().find(|table| table.name.is_called(to));
                let target = target.ok_or_else(|| no_such(from, to))?;
                renames.push((table.name.clone(), target.name.clone()));
            }
        }
        let is_free = |table: &&Table| new.table(&table.name).is_none_or(|table| table.root.is_some());
        let is_told = |table: &&Table| !renames.iter().any(|(from, _)| *from == table.name);
        let lone: Vec<&Table> = old.whole().filter(is_free).filter(is_told).collect();
        let is_new = |table: &&Table| {
            old.table(&table.name).is_none() && !renames.iter().any(|(_, to)| *to == table.name)
        };
        let free: Vec<&Table> = new.whole().filter(is_new).collect();
        let near = near::pairs(&lone, &free, near::tables);
        renames.extend(near.iter().map(|(from, to)| (from.name.clone(), to.name.clone())));
        let renames = Self(renames);
        renames.check_columns(old, new, rules)?;
        Ok(renames)
    }

    fn table<'a>(&self, table: &Table, new: &'a Shape) -> Option<&'a Table> {
        let renamed = self.0.iter().find(|(from, _)| *from == table.name);
        if let Some((_, to)) = renamed {
            return new.table(to);
        }
        let taken = self.0.iter().any(|(_, to)| *to == table.name);
        new.table(&table.name).filter(|table| !taken && table.root.is_none())
    }

    /// A rule about a column that is there has to lead somewhere. One whose old name is gone has been followed before.
    fn check_columns(&self, old: &Shape, new: &Shape, rules: &Rules) -> Result<(), Fault> {
        for table in old.whole() {
            let Some(target) = self.table(table, new) else { continue };
            for (from, to) in &rules.rename {
                let column = table.columns.iter().find(|column| is_column(from, &table.name, &column.name));
                if column.is_some_and(|column| told(column, table, target, rules).is_none()) {
                    return Err(no_such(from, to));
                }
            }
        }
        Ok(())
    }
}

fn no_such(from: &str, to: &str) -> Fault {
    Fault::new(Exit::Usage, format!("`{from}` can't become `{to}`"))
        .cause(format!("the new baseline has no `{to}`"))
        .state("nothing was changed")
        .hint("mend rebuild.rename in cleanslate.toml")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn column(name: &str, kind: &str) -> Column {
        Column {
            name: name.to_owned(),
            kind: kind.to_owned(),
            base: kind.split('(').next().unwrap_or_default().to_owned(),
            builtin: !kind.contains('.'),
            text: kind == "text",
            not_null: false,
            default: false,
            made_up: false,
            generated: false,
            labels: None,
        }
    }

    fn table(name: &str, columns: &[Column]) -> Table {
        let name = TableName::new("public", name);
        Table { name, partitioned: false, root: None, columns: columns.to_vec() }
    }

    fn fit(old: &[Column], new: &[Column], rename: &[(&str, &str)]) -> Fit {
        let shape = |columns| Shape { tables: vec![table("users", columns)] };
        let rename = rename.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        let rules = Rules { rename, ..Rules::default() };
        fits(&shape(old), &shape(new), &rules).unwrap().remove(0)
    }

    fn pairs(fit: &Fit) -> Vec<String> {
        fit.columns.iter().map(|pair| format!("{} {}", pair.from, pair.to)).collect()
    }

    #[test]
    fn columns_meet_by_name_and_what_only_one_side_has_is_told() {
        let old = [column("id", "integer"), column("zip", "text")];
        let new = [column("id", "integer"), column("notes", "text")];

        let fit = fit(&old, &new, &[]);

        assert_eq!(
            (pairs(&fit), fit.left, fit.fate),
            (vec!["id id".to_owned()], vec!["zip".to_owned()], Fate::Carried)
        );
    }

    #[test]
    fn a_near_name_is_taken_where_nothing_else_could_be_meant() {
        let id = column("id", "integer");
        let mail = column("mail", "text");

        let one = fit(&[id.clone(), mail.clone()], &[id.clone(), column("email", "text")], &[]);
        let new = [id.clone(), column("email", "text"), column("mail2", "text")];
        let two = fit(&[id.clone(), mail.clone()], &new, &[]);
        let other = fit(&[id.clone(), mail], &[id, column("email", "integer")], &[]);

        assert_eq!(
            (pairs(&one), one.notes),
            (vec!["id id".to_owned(), "mail email".to_owned()], vec!["`mail` is `email` now".to_owned()])
        );
        assert_eq!((two.left.len(), other.left.len()), (1, 1));
    }

    #[test]
    fn a_rule_comes_before_a_name_that_stayed() {
        let old = [column("a", "text"), column("b", "text")];

        let fit = fit(&old, &[column("b", "text")], &[("users.a", "users.b")]);

        assert_eq!((pairs(&fit), fit.left), (vec!["a b".to_owned()], vec!["b".to_owned()]));
    }

    #[test]
    fn a_rule_that_leads_nowhere_is_refused_and_one_that_was_followed_is_not() {
        let shape = |name| Shape { tables: vec![table("users", &[column(name, "text")])] };
        let rules = |from: &str| Rules {
            rename: BTreeMap::from([(from.to_owned(), "users.nick".to_owned())]),
            ..Rules::default()
        };

        assert_eq!(fits(&shape("name"), &shape("name"), &rules("users.name")).unwrap_err().exit, Exit::Usage);
        assert!(fits(&shape("nick"), &shape("nick"), &rules("users.name")).is_ok());
    }

    #[test]
    fn a_new_column_that_wants_a_value_keeps_the_table_away() {
        let wants = Column { not_null: true, ..column("notes", "text") };
        let has = Column { default: true, ..wants.clone() };
        let id = column("id", "integer");
        let old = [id.clone()];

        assert!(
            matches!(fit(&old, &[id.clone(), wants], &[]).fate, Fate::Left(why) if why.contains("`notes`"))
        );
        assert_eq!(fit(&old, &[id, has], &[]).fate, Fate::Carried);
    }

    #[test]
    fn types_of_every_postgres_are_cast_and_others_go_as_text() {
        let cast = |from, to| fit(&[column("a", from)], &[column("a", to)], &[]).columns.remove(0).cast;

        assert_eq!(cast("text", "integer").as_deref(), Some("integer"));
        assert_eq!(cast("character varying(200)", "character varying(20)"), None);
        assert_eq!(cast("text", "public.mood"), None);
    }

    #[test]
    fn a_table_with_another_name_is_known_by_its_columns() {
        let columns = [column("id", "integer"), column("name", "text"), column("city", "text")];
        let old =
            Shape { tables: vec![table("customers", &columns), table("log", &[column("line", "text")])] };
        let new = Shape { tables: vec![table("clients", &columns), table("tags", &[column("tag", "text")])] };

        let fits = fits(&old, &new, &Rules::default()).unwrap();

        assert_eq!(fits[0].to, Some(TableName::new("public", "clients")));
        assert_eq!(fits[1].to, None);
    }

    #[test]
    fn a_partition_goes_with_its_root() {
        let root = TableName::new("public", "events");
        let part = Table { root: Some(root), ..table("events_1", &[column("id", "integer")]) };
        let whole = Table { partitioned: true, ..table("events", &[column("id", "integer")]) };

        let fits = fits(
            &Shape { tables: vec![whole, part] },
            &Shape { tables: vec![table("events", &[column("id", "integer")])] },
            &Rules::default(),
        );

        assert_eq!(fits.unwrap().len(), 1);
    }
}
