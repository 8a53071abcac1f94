//! What a database has beside its contents is there again after a reset.

use testkit::{Shop, offline};

/// Everything about the database that is not in it.
const BESIDE: &str = "
SELECT r.rolname, d.datconnlimit, pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, d.datlocprovider, d.daticulocale,
       shobj_description(d.oid, 'pg_database'),
       (SELECT string_agg(a.grantee::regrole || ' ' || a.privilege_type || ' ' || a.is_grantable, ', ' ORDER BY 1)
        FROM aclexplode(d.datacl) a),
       (SELECT string_agg(s.setrole::regrole || ' ' || s.setconfig::text, ', ' ORDER BY 1)
        FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)
FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = 'shop'";

#[test]
fn owner_rights_limit_settings_and_comment_are_carried_over() {
    if offline("what a reset carries over") {
        return;
    }
    let shop = Shop::open();
    for sql in [
        "CREATE ROLE \"the Owner's\" LOGIN",
        "CREATE ROLE reader LOGIN",
        "ALTER DATABASE shop OWNER TO \"the Owner's\"",
        "REVOKE ALL ON DATABASE shop FROM PUBLIC",
        "GRANT CONNECT ON DATABASE shop TO reader WITH GRANT OPTION",
        "GRANT CREATE, TEMPORARY ON DATABASE shop TO reader",
        "ALTER DATABASE shop CONNECTION LIMIT 17",
        "ALTER DATABASE shop SET search_path = \"We\"\"ird\", public, \"$user\"",
        "ALTER DATABASE shop SET app.motto = E'it''s \"fine\" \\\\ or not'",
        "ALTER DATABASE shop SET statement_timeout = '7min'",
        "ALTER DATABASE shop SET default_transaction_read_only = on",
        "ALTER ROLE reader IN DATABASE shop SET work_mem = '5MB'",
        "ALTER ROLE \"the Owner's\" IN DATABASE shop SET search_path = ''",
        "COMMENT ON DATABASE shop IS E'the shop''s \"own\" \\\\ database'",
    ] {
        let _ = shop.ask_in("postgres", sql);
    }
    let before = shop.ask_in("postgres", BESIDE);

    for _ in 0..2 {
        let _ = shop.reset().expect_code(0);
        assert_eq!(shop.ask_in("postgres", BESIDE), before);
    }
    assert_eq!(shop.ask("SHOW search_path"), "\"We\"\"ird\", public, \"$user\"");
    assert_eq!(shop.ask("SELECT count(*) FROM public.goods"), "2");
}

#[test]
fn encoding_and_locale_are_carried_over() {
    if offline("another encoding, and ICU") {
        return;
    }
    let shop = Shop::open();
    for like in [
        "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        "LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk'",
        "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
    ] {
        let _ = shop.ask_in("postgres", "DROP DATABASE shop");
        let _ = shop.ask_in("postgres", &format!("CREATE DATABASE shop TEMPLATE template0 {like}"));
        shop.up();
        let before = shop.ask_in("postgres", BESIDE);

        let _ = shop.reset().expect_code(0);

        assert_eq!(shop.ask_in("postgres", BESIDE), before, "{like}");
        assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    }
}
