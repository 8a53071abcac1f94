//! What a database has beside its contents, and a new one of its name must have again: owner, limit, rights, settings.

use plan::DatabaseName;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::Postgres;

/// Settings whose stored text is a list of names, quoted by Postgres itself: it goes into SET as it is.
const LISTS: [&str; 6] = [
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "shared_preload_libraries",
    "local_preload_libraries",
    "unix_socket_directories",
];

const OWN: &str = "
SELECT 'own' AS of, quote_ident(r.rolname) AS owner, d.datconnlimit AS connection_limit, d.datacl IS NOT NULL AS rights
FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba";

const RIGHTS: &str = "
SELECT 'rights' AS of, a.privilege_type AS privilege, a.is_grantable AS grantable,
       CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END AS grantee
FROM pg_database d, aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee <> d.datdba AND (a.grantee = 0 OR r.rolname IS NOT NULL)";

const SETTINGS: &str = "
SELECT 'settings' AS of, quote_ident(r.rolname) AS role, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value,
       quote_literal(substr(c, strpos(c, '=') + 1)) AS literal
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole,
     unnest(s.setconfig) c";

/// SQL statements that give `to` what `from` has.
pub(crate) fn carried_over(
    postgres: &mut Postgres,
    maintenance: &DatabaseName,
    from: &DatabaseName,
    to: &DatabaseName,
) -> Result<String, sqlx::Error> {
    let (from, to) = (from.literal(), to.quoted());
    let mut sql = Vec::new();
    // Three questions in one message; each row tells which one it answers.
    let questions = format!(
        "{OWN} WHERE d.datname = {from}; {RIGHTS} AND d.datname = {from}; {SETTINGS} WHERE d.datname = {from}"
    );
    for row in postgres.rows(maintenance, &questions)? {
        match row.try_get::<&str, _>("of")? {
            "own" => own(&row, &to, &mut sql)?,
            "rights" => sql.push(right(&row, &to)?),
            _ => sql.push(set(&row, &to)?),
        }
    }
    Ok(sql.join(";\n"))
}

fn own(row: &PgRow, to: &str, sql: &mut Vec<String>) -> Result<(), sqlx::Error> {
    sql.push(format!("ALTER DATABASE {to} OWNER TO {}", row.try_get::<String, _>("owner")?));
    let limit: i32 = row.try_get("connection_limit")?;
    if limit >= 0 {
        sql.push(format!("ALTER DATABASE {to} CONNECTION LIMIT {limit}"));
    }
    if row.try_get("rights")? {
        sql.push(format!("REVOKE ALL ON DATABASE {to} FROM PUBLIC"));
    }
    Ok(())
}

fn right(row: &PgRow, to: &str) -> Result<String, sqlx::Error> {
    let option = if row.try_get("grantable")? { " WITH GRANT OPTION" } else { "" };
    let (privilege, grantee): (String, String) = (row.try_get("privilege")?, row.try_get("grantee")?);
    Ok(format!("GRANT {privilege} ON DATABASE {to} TO {grantee}{option}"))
}

fn set(row: &PgRow, to: &str) -> Result<String, sqlx::Error> {
    let (name, value): (String, String) = (row.try_get("name")?, row.try_get("value")?);
    let value = match value.as_str() {
        // An empty list is stored as one empty name, which SET does not take.
        r#""""# => "''".to_owned(),
        "" => row.try_get("literal")?,
        _ if LISTS.contains(&name.as_str()) => value,
        _ => row.try_get("literal")?,
    };
    let of = match row.try_get::<Option<String>, _>("role")? {
        Some(role) => format!("ALTER ROLE {role} IN DATABASE {to}"),
        None => format!("ALTER DATABASE {to}"),
    };
    Ok(format!("{of} SET {} = {value}", setting(&name)))
}

/// A setting's name: `app.user` is one of two parts.
fn setting(name: &str) -> String {
    name.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect::<Vec<_>>().join(".")
}
