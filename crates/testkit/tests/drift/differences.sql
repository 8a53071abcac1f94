--! table-missing | settings | error
DROP TABLE settings CASCADE;
--! table-extra | wishes | error
CREATE TABLE wishes (id serial PRIMARY KEY, member_id uuid REFERENCES members (id), UNIQUE (member_id)); CREATE INDEX ON wishes (id);
--! table-renamed | reservations | error
ALTER TABLE bookings RENAME TO reservations;
--! table-renamed-slip | Settings | notice
ALTER TABLE settings RENAME TO "Settings";
--! column-slip-in-a-view | members.eMail | notice
ALTER TABLE members RENAME email TO "eMail";
--! table-unlogged | bookings | warning
ALTER TABLE bookings SET UNLOGGED;
--! table-moved | boxes | error
ALTER TABLE archive.boxes SET SCHEMA public;
--! table-options | books | notice
ALTER TABLE books SET (fillfactor = 70);
--! table-replica-identity | members | notice
ALTER TABLE members REPLICA IDENTITY FULL;
--! table-owner | settings | notice
ALTER TABLE settings OWNER TO drift_app;
--! table-became-view | bookings | error
DROP TABLE bookings; CREATE VIEW bookings AS SELECT 1 AS room, NULL::tsrange AS during;
--! table-became-matview | loan_counts | error
DROP MATERIALIZED VIEW loan_counts; CREATE VIEW loan_counts AS SELECT member_id, count(*) AS n FROM loans GROUP BY member_id;
--! table-became-partitioned | settings | error
DROP TABLE settings CASCADE; CREATE TABLE settings (key text PRIMARY KEY, value jsonb) PARTITION BY LIST (key);
--! column-missing | members.note | error
ALTER TABLE members DROP COLUMN note;
--! column-missing-cascade | members.favourite | error
ALTER TABLE members DROP COLUMN favourite CASCADE;
--! column-missing-key | books.price | error
ALTER TABLE books DROP COLUMN price CASCADE;
--! column-extra | members.phone | error
ALTER TABLE members ADD COLUMN phone text;
--! column-extra-indexed | members.phone | error
ALTER TABLE members ADD COLUMN phone text DEFAULT 'x' CHECK (phone <> ''); CREATE INDEX ON members (phone);
--! column-rename-typo | members.dispaly_name | error
ALTER TABLE members RENAME COLUMN display_name TO dispaly_name;
--! column-rename-case | members.displayName | notice
ALTER TABLE members RENAME COLUMN display_name TO "displayName";
--! column-rename-used | book_identifier | error
ALTER TABLE loans RENAME COLUMN book_id TO book_identifier;
--! column-rename-in-view | mail | error
ALTER TABLE members RENAME COLUMN email TO mail;
--! column-order | settings.value | notice
DROP TABLE settings CASCADE; CREATE TABLE settings (value jsonb, key text PRIMARY KEY); CREATE VIEW open_settings WITH (security_barrier) AS SELECT key, value FROM settings WHERE key <> 'secret' WITH LOCAL CHECK OPTION; CREATE RULE keep_version AS ON DELETE TO settings WHERE OLD.key = 'version' DO INSTEAD NOTHING;
--! column-collation | books.label | error
ALTER TABLE books ALTER COLUMN label TYPE text COLLATE "POSIX";
--! column-storage | members.note | notice
ALTER TABLE members ALTER COLUMN note SET STORAGE EXTERNAL;
--! column-statistics | members.email | notice
ALTER TABLE members ALTER COLUMN email SET STATISTICS 500;
--! column-compression | books.title | notice
ALTER TABLE books ALTER COLUMN title SET COMPRESSION pglz;
--! column-options | books.price | notice
ALTER TABLE books ALTER COLUMN price SET (n_distinct = 5);
--! type-length | members.display_name | error
ALTER TABLE members ALTER COLUMN display_name TYPE varchar(100);
--! type-bigint | members.visits | error
ALTER TABLE members ALTER COLUMN visits TYPE bigint;
--! type-varchar-to-text-with-checks | loans.state | error
DROP POLICY loans_own ON loans; DROP POLICY loans_new ON loans; ALTER TABLE loans ALTER COLUMN state TYPE text; CREATE POLICY loans_own ON loans FOR SELECT TO drift_app USING (state <> 'hidden'); CREATE POLICY loans_new ON loans FOR INSERT TO drift_app WITH CHECK (state = 'out');
--! type-numeric-precision | members.balance | error
ALTER TABLE members ALTER COLUMN balance TYPE numeric(12,2);
--! type-timestamptz | books.printed | error
ALTER TABLE books ALTER COLUMN printed TYPE timestamptz;
--! type-precision | members.changed_at | error
DROP TRIGGER members_stamp ON members; ALTER TABLE members ALTER COLUMN changed_at TYPE timestamptz(3); CREATE TRIGGER members_stamp BEFORE UPDATE ON members FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION stamp();
--! type-enum-to-text | books.kind | error
DROP STATISTICS st_books; ALTER TABLE books ALTER COLUMN kind TYPE text; CREATE STATISTICS st_books (ndistinct) ON kind, price FROM books;
--! type-real-to-double | books.weight | error
ALTER TABLE books ALTER COLUMN weight TYPE double precision;
--! type-domain-to-base | books.code | error
ALTER TABLE books ALTER COLUMN code TYPE text;
--! type-citext-to-text | members.nick | error
ALTER TABLE members ALTER COLUMN nick TYPE text;
--! type-array | books.label | error
ALTER TABLE books ALTER COLUMN label TYPE text[] USING ARRAY[label];
--! not-null-dropped | members.email | error
ALTER TABLE members ALTER COLUMN email DROP NOT NULL;
--! not-null-added | members.note | error
ALTER TABLE members ALTER COLUMN note SET NOT NULL;
--! default-missing | loans.days | error
ALTER TABLE loans ALTER COLUMN days DROP DEFAULT;
--! default-extra | members.note | error
ALTER TABLE members ALTER COLUMN note SET DEFAULT '';
--! default-changed | loans.days | error
ALTER TABLE loans ALTER COLUMN days SET DEFAULT 21;
--! default-quoted | loans.state | error
ALTER TABLE loans ALTER COLUMN state SET DEFAULT '''out''';
--! default-function | members.changed_at | error
ALTER TABLE members ALTER COLUMN changed_at SET DEFAULT clock_timestamp();
--! default-bool | members.active | error
ALTER TABLE members ALTER COLUMN active SET DEFAULT false;
--! default-json | members.prefs | error
ALTER TABLE members ALTER COLUMN prefs SET DEFAULT '[]';
--! default-sequence | loans.number | error
ALTER TABLE loans ALTER COLUMN number SET DEFAULT nextval('unused_number');
--! default-negative | members.visits | error
ALTER TABLE members ALTER COLUMN visits SET DEFAULT -1;
--! default-new-sequence | loans.number | error
CREATE SEQUENCE other_number; ALTER TABLE loans ALTER COLUMN number SET DEFAULT nextval('other_number');
--! serial-default-lost | loans.id | error
ALTER TABLE loans ALTER COLUMN id DROP DEFAULT;
--! serial-lost | loans.id | error
ALTER TABLE loans ALTER COLUMN id DROP DEFAULT; DROP SEQUENCE loans_id_seq;
--! serial-to-identity | loans.id | error
ALTER TABLE loans ALTER COLUMN id DROP DEFAULT; DROP SEQUENCE loans_id_seq; ALTER TABLE loans ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
--! identity-always | books.id | error
ALTER TABLE books ALTER COLUMN id SET GENERATED ALWAYS;
--! identity-lost | books.id | error
ALTER TABLE books ALTER COLUMN id DROP IDENTITY;
--! identity-options | archive.boxes.id | warning
ALTER TABLE archive.boxes ALTER COLUMN id SET START WITH 1;
--! generated-lost | books.title_lower | error
ALTER TABLE books ALTER COLUMN title_lower DROP EXPRESSION;
--! generated-changed | books.title_lower | error
ALTER TABLE books DROP COLUMN title_lower; ALTER TABLE books ADD COLUMN title_lower text GENERATED ALWAYS AS (upper(title)) STORED;
--! generated-to-default | books.title_lower | error
ALTER TABLE books ALTER COLUMN title_lower DROP EXPRESSION; ALTER TABLE books ALTER COLUMN title_lower SET DEFAULT '';
--! pk-missing | settings_pkey | error
DROP RULE keep_version ON settings; ALTER TABLE settings DROP CONSTRAINT settings_pkey; CREATE RULE keep_version AS ON DELETE TO settings WHERE OLD.key = 'version' DO INSTEAD NOTHING; ALTER TABLE settings ALTER COLUMN key SET NOT NULL;
--! pk-renamed | pk_settings | notice
ALTER TABLE settings RENAME CONSTRAINT settings_pkey TO pk_settings;
--! pk-columns | loans_pkey | error
ALTER TABLE loans DROP CONSTRAINT loans_pkey; ALTER TABLE loans ADD CONSTRAINT loans_pkey PRIMARY KEY (id, number);
--! pk-deferrable | settings_pkey | error
ALTER TABLE settings DROP CONSTRAINT settings_pkey; ALTER TABLE settings ADD CONSTRAINT settings_pkey PRIMARY KEY (key) DEFERRABLE;
--! pk-added | bookings_pkey | error
ALTER TABLE bookings ADD PRIMARY KEY (room);
--! fk-missing | loans_member_fkey | error
ALTER TABLE loans DROP CONSTRAINT loans_member_fkey;
--! fk-on-delete | loans_book_fkey | error
ALTER TABLE loans DROP CONSTRAINT loans_book_fkey, ADD CONSTRAINT loans_book_fkey FOREIGN KEY (book_id) REFERENCES books (id) DEFERRABLE;
--! fk-on-update | loans_book_fkey | error
ALTER TABLE loans DROP CONSTRAINT loans_book_fkey, ADD CONSTRAINT loans_book_fkey FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE;
--! fk-deferrable | loans_book_fkey | error
ALTER TABLE loans DROP CONSTRAINT loans_book_fkey, ADD CONSTRAINT loans_book_fkey FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE SET NULL;
--! fk-deferred | loans_book_fkey | error
ALTER TABLE loans ALTER CONSTRAINT loans_book_fkey DEFERRABLE INITIALLY DEFERRED;
--! fk-not-valid | loans_book_fkey | warning
ALTER TABLE loans DROP CONSTRAINT loans_book_fkey, ADD CONSTRAINT loans_book_fkey FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE SET NULL DEFERRABLE NOT VALID;
--! fk-match-full | loans_book_fkey | error
ALTER TABLE loans DROP CONSTRAINT loans_book_fkey, ADD CONSTRAINT loans_book_fkey FOREIGN KEY (book_id) REFERENCES books (id) MATCH FULL ON DELETE SET NULL DEFERRABLE;
--! fk-target | loans_number_fk | error
ALTER TABLE loans ADD CONSTRAINT loans_number_fk FOREIGN KEY (number) REFERENCES books (id);
--! fk-renamed | fk_loans_book | notice
ALTER TABLE loans RENAME CONSTRAINT loans_book_fkey TO fk_loans_book;
--! fk-renamed-and-changed | fk_loans_book | error
ALTER TABLE loans DROP CONSTRAINT loans_book_fkey, ADD CONSTRAINT fk_loans_book FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE CASCADE;
--! unique-missing | uq_books_code_title | error
ALTER TABLE books DROP CONSTRAINT uq_books_code_title;
--! unique-columns | uq_books_code_title | error
ALTER TABLE books DROP CONSTRAINT uq_books_code_title, ADD CONSTRAINT uq_books_code_title UNIQUE (code);
--! unique-order | uq_books_code_title | warning
ALTER TABLE books DROP CONSTRAINT uq_books_code_title, ADD CONSTRAINT uq_books_code_title UNIQUE (title, code);
--! unique-nulls | uq_books_code_title | error | 15
ALTER TABLE books DROP CONSTRAINT uq_books_code_title, ADD CONSTRAINT uq_books_code_title UNIQUE NULLS NOT DISTINCT (code, title);
--! unique-deferrable | loans_number_key | error
ALTER TABLE loans DROP CONSTRAINT loans_number_key, ADD CONSTRAINT loans_number_key UNIQUE (number) DEFERRABLE;
--! unique-became-index | loans_number_key | warning
ALTER TABLE loans DROP CONSTRAINT loans_number_key; CREATE UNIQUE INDEX loans_number_key ON loans (number);
--! unique-became-other-index | ix_number | warning
ALTER TABLE loans DROP CONSTRAINT loans_number_key; CREATE UNIQUE INDEX ix_number ON loans (number);
--! unique-renamed | uq_loan_number | notice
ALTER TABLE loans RENAME CONSTRAINT loans_number_key TO uq_loan_number;
--! unique-extra | settings.uq_value | error
ALTER TABLE settings ADD CONSTRAINT uq_value UNIQUE (value);
--! unique-include | uq_books_code_title | error
ALTER TABLE books DROP CONSTRAINT uq_books_code_title, ADD CONSTRAINT uq_books_code_title UNIQUE (code, title) INCLUDE (price);
--! check-missing | ck_books_price | error
ALTER TABLE books DROP CONSTRAINT ck_books_price;
--! check-changed | ck_books_price | error
ALTER TABLE books DROP CONSTRAINT ck_books_price, ADD CONSTRAINT ck_books_price CHECK (price >= 0); COMMENT ON CONSTRAINT ck_books_price ON books IS 'No gifts';
--! check-in-list | ck_loans_state | error
ALTER TABLE loans DROP CONSTRAINT ck_loans_state, ADD CONSTRAINT ck_loans_state CHECK (state IN ('out', 'back'));
--! check-and-or | ck_books_kind | error
ALTER TABLE books DROP CONSTRAINT ck_books_kind, ADD CONSTRAINT ck_books_kind CHECK (title <> '' OR price < 10000);
--! check-renamed | ck_price | notice
ALTER TABLE books RENAME CONSTRAINT ck_books_price TO ck_price;
--! check-extra | ck_days | error
ALTER TABLE loans ADD CONSTRAINT ck_days CHECK (days > 0);
--! check-not-valid | ck_books_price | warning
ALTER TABLE books DROP CONSTRAINT ck_books_price, ADD CONSTRAINT ck_books_price CHECK (price > 0) NOT VALID; COMMENT ON CONSTRAINT ck_books_price ON books IS 'No gifts';
--! check-no-inherit | ck_books_price | warning
ALTER TABLE books DROP CONSTRAINT ck_books_price, ADD CONSTRAINT ck_books_price CHECK (price > 0) NO INHERIT; COMMENT ON CONSTRAINT ck_books_price ON books IS 'No gifts';
--! check-not-enforced | ck_books_price | error | 18
ALTER TABLE books DROP CONSTRAINT ck_books_price, ADD CONSTRAINT ck_books_price CHECK (price > 0) NOT ENFORCED; COMMENT ON CONSTRAINT ck_books_price ON books IS 'No gifts';
--! exclusion-missing | bookings_excl | error
ALTER TABLE bookings DROP CONSTRAINT bookings_excl;
--! exclusion-changed | bookings_excl | error
ALTER TABLE bookings DROP CONSTRAINT bookings_excl, ADD CONSTRAINT bookings_excl EXCLUDE USING gist (during WITH &&) WHERE (room > 0);
--! index-missing | ix_books_title | warning
DROP INDEX ix_books_title;
--! index-extra | ix_extra | warning
CREATE INDEX ix_extra ON books (kind);
--! index-unique-missing | ix_members_email | error
DROP INDEX ix_members_email;
--! index-unique-extra | ix_nick | error
CREATE UNIQUE INDEX ix_nick ON members (nick);
--! index-unique-lost | ix_members_email | error
DROP INDEX ix_members_email; CREATE INDEX ix_members_email ON members (email); COMMENT ON INDEX ix_members_email IS 'For the login';
--! index-columns | ix_books_price | warning
DROP INDEX ix_books_price; CREATE INDEX ix_books_price ON books (price DESC);
--! index-column-order | ix_books_price | warning
DROP INDEX ix_books_price; CREATE INDEX ix_books_price ON books (title, price DESC);
--! index-desc | ix_books_price | warning
DROP INDEX ix_books_price; CREATE INDEX ix_books_price ON books (price, title);
--! index-nulls | ix_books_price | warning
DROP INDEX ix_books_price; CREATE INDEX ix_books_price ON books (price DESC NULLS LAST, title);
--! index-where | ix_members_active | warning
DROP INDEX ix_members_active; CREATE INDEX ix_members_active ON members (joined_on) WHERE NOT active;
--! index-where-lost | ix_members_active | warning
DROP INDEX ix_members_active; CREATE INDEX ix_members_active ON members (joined_on);
--! index-method | ix_books_title | warning
DROP INDEX ix_books_title; CREATE INDEX ix_books_title ON books USING hash (title);
--! index-expression | ix_members_lower | warning
DROP INDEX ix_members_lower; CREATE INDEX ix_members_lower ON members (upper(email));
--! index-collation | ix_books_title | warning
DROP INDEX ix_books_title; CREATE INDEX ix_books_title ON books (title COLLATE "C") INCLUDE (price);
--! index-opclass | ix_members_prefs | warning
DROP INDEX ix_members_prefs; CREATE INDEX ix_members_prefs ON members USING gin (prefs jsonb_path_ops);
--! index-include | ix_books_title | warning
DROP INDEX ix_books_title; CREATE INDEX ix_books_title ON books (title) INCLUDE (price, kind);
--! index-options | ix_books_title | notice
ALTER INDEX ix_books_title SET (fillfactor = 50);
--! index-renamed | idx_books_title | notice
ALTER INDEX ix_books_title RENAME TO idx_books_title;
--! index-nulls-not-distinct | ix_members_email | error | 15
DROP INDEX ix_members_email; CREATE UNIQUE INDEX ix_members_email ON members (email) NULLS NOT DISTINCT; COMMENT ON INDEX ix_members_email IS 'For the login';
--! index-invalid | ix_books_title | error
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_books_title'::regclass;
--! index-clustered | members | notice
ALTER TABLE members CLUSTER ON ix_members_lower;
--! index-replica-identity | members | notice
ALTER TABLE members REPLICA IDENTITY USING INDEX ix_members_email;
--! index-of-partitioned-missing | ix_visits_door | warning
DROP INDEX ix_visits_door;
--! index-on-partition-alone | visits_2025 | warning
CREATE INDEX ix_only_2025 ON visits_2025 (door, day);
--! enum-label-missing | genre | error
ALTER TABLE members ALTER favourite DROP DEFAULT; DROP VIEW active_members; DROP STATISTICS st_books; ALTER TYPE genre RENAME TO genre_old; CREATE TYPE genre AS ENUM ('novel', 'poetry'); ALTER TABLE members ALTER favourite TYPE genre USING favourite::text::genre; ALTER TABLE books ALTER kind TYPE genre USING kind::text::genre; DROP TYPE genre_old; ALTER TABLE members ALTER favourite SET DEFAULT 'novel'; CREATE VIEW active_members AS SELECT m.id, m.email, m.favourite FROM members m WHERE m.active; CREATE STATISTICS st_books (ndistinct) ON kind, price FROM books;
--! enum-label-extra | genre | error
ALTER TYPE genre ADD VALUE 'essay';
--! enum-label-order | shelf_state | error
DROP TYPE shelf_state; CREATE TYPE shelf_state AS ENUM ('closed', 'open');
--! enum-label-renamed | genre | error
ALTER TYPE genre RENAME VALUE 'novel' TO 'Novel';
--! enum-missing | shelf_state | warning
DROP TYPE shelf_state;
--! enum-extra | colour | warning
CREATE TYPE colour AS ENUM ('red');
--! enum-renamed | book_genre | error
ALTER TYPE genre RENAME TO book_genre;
--! enum-moved | genre | error
ALTER TYPE genre SET SCHEMA archive;
--! sequence-missing | unused_number | error
DROP SEQUENCE unused_number;
--! sequence-missing-cascade | loan_number | error
DROP SEQUENCE loan_number CASCADE;
--! sequence-extra | more_numbers | error
CREATE SEQUENCE more_numbers;
--! sequence-increment | loan_number | warning
ALTER SEQUENCE loan_number INCREMENT BY 10;
--! sequence-start | loan_number | notice
ALTER SEQUENCE loan_number START WITH 1;
--! sequence-type | loan_number | error
ALTER SEQUENCE loan_number AS integer;
--! sequence-cycle | loan_number | error
ALTER SEQUENCE loan_number CYCLE;
--! sequence-max | loan_number | error
ALTER SEQUENCE loan_number MAXVALUE 1000;
--! sequence-cache | loan_number | notice
ALTER SEQUENCE loan_number CACHE 20;
--! sequence-owned | loan_number | warning
ALTER SEQUENCE loan_number OWNED BY loans.number;
--! view-missing | active_members | error
DROP VIEW active_members;
--! view-extra | v_extra | error
CREATE VIEW v_extra AS SELECT * FROM books;
--! view-changed | active_members | error
CREATE OR REPLACE VIEW active_members AS SELECT m.id, m.email, m.favourite FROM members m WHERE NOT m.active;
--! view-column | active_members | error
CREATE OR REPLACE VIEW active_members AS SELECT m.id, m.email, m.favourite, m.note FROM members m WHERE m.active;
--! view-column-renamed | active_members | error
ALTER VIEW active_members RENAME COLUMN email TO mail;
--! view-security-barrier | open_settings | warning
ALTER VIEW open_settings RESET (security_barrier);
--! view-invoker | active_members | error | 15
ALTER VIEW active_members SET (security_invoker = true);
--! view-check-option | open_settings | error
ALTER VIEW open_settings SET (check_option = cascaded);
--! view-renamed | active_people | error
ALTER VIEW active_members RENAME TO active_people;
--! view-column-default | active_members.email | notice
ALTER VIEW active_members ALTER COLUMN email SET DEFAULT 'x';
--! matview-missing | loan_counts | error
DROP MATERIALIZED VIEW loan_counts;
--! matview-changed | loan_counts | error
DROP MATERIALIZED VIEW loan_counts; CREATE MATERIALIZED VIEW loan_counts AS SELECT member_id, count(*) + 1 AS n FROM loans GROUP BY member_id; CREATE UNIQUE INDEX ix_loan_counts ON loan_counts (member_id);
--! matview-empty | loan_counts | notice
REFRESH MATERIALIZED VIEW loan_counts WITH NO DATA;
--! function-missing | tidy | error
DROP FUNCTION tidy;
--! function-missing-cascade | stamp | error
DROP FUNCTION stamp CASCADE;
--! function-extra | helper | error
CREATE FUNCTION helper() RETURNS integer LANGUAGE sql AS 'SELECT 1';
--! function-body | tidy | error
CREATE OR REPLACE FUNCTION tidy(words text, fallback text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT upper(words) $$;
--! function-comment-in-body | stamp | notice
CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
begin -- at once
  NEW.changed_at := NOW();
  RETURN NEW;
END
$$;
--! function-returns | years | error
DROP FUNCTION years; CREATE FUNCTION years() RETURNS SETOF bigint LANGUAGE sql STABLE AS $$ SELECT 1900 $$;
--! function-default | tidy | error
CREATE OR REPLACE FUNCTION tidy(words text, fallback text DEFAULT 'x') RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT lower(coalesce(words, fallback))
$$;
--! function-argument-type | forget | error
DROP PROCEDURE forget; CREATE PROCEDURE forget(age integer) LANGUAGE plpgsql AS $$ BEGIN DELETE FROM loans WHERE days > age; END $$;
--! function-argument-name | forget | error
DROP PROCEDURE forget; CREATE PROCEDURE forget(old interval) LANGUAGE plpgsql AS $$ BEGIN DELETE FROM loans WHERE lent_at < now() - age; END $$;
--! function-volatility | tidy | error
ALTER FUNCTION tidy STABLE;
--! function-strict | tidy | error
ALTER FUNCTION tidy CALLED ON NULL INPUT;
--! function-parallel | tidy | warning
ALTER FUNCTION tidy PARALLEL UNSAFE;
--! function-definer | tidy | error
ALTER FUNCTION tidy SECURITY DEFINER;
--! function-leakproof | tidy | warning
ALTER FUNCTION tidy LEAKPROOF;
--! function-settings | tidy | error
ALTER FUNCTION tidy SET search_path = public;
--! function-cost | tidy | notice
ALTER FUNCTION tidy COST 5000;
--! function-rows | years | notice
ALTER FUNCTION years ROWS 5;
--! function-language | years | error
CREATE OR REPLACE FUNCTION years() RETURNS SETOF integer LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN NEXT 1900; END $$;
--! function-overload | tidy | error
CREATE FUNCTION tidy(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
--! function-renamed | tidied | error
ALTER FUNCTION tidy RENAME TO tidied;
--! function-became-procedure | years | error
DROP FUNCTION years; CREATE PROCEDURE years() LANGUAGE sql AS 'SELECT 1';
--! aggregate-missing | longest | error
DROP AGGREGATE longest(integer);
--! aggregate-changed | longest | error
DROP AGGREGATE longest(integer); CREATE AGGREGATE longest(integer) (SFUNC = int4smaller, STYPE = integer);
--! operator-missing | ~~~ | warning
DROP OPERATOR ~~~ (text, text);
--! operator-changed | ~~~ | warning
DROP OPERATOR ~~~ (text, text); CREATE OPERATOR ~~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = textne);
--! trigger-missing | members_stamp | error
DROP TRIGGER members_stamp ON members;
--! trigger-extra | books_stamp | error
CREATE TRIGGER books_stamp BEFORE UPDATE ON books FOR EACH ROW EXECUTE FUNCTION stamp();
--! trigger-events | loans_stamp | error
DROP TRIGGER loans_stamp ON loans; CREATE TRIGGER loans_stamp BEFORE INSERT OR UPDATE OF days ON loans FOR EACH ROW EXECUTE FUNCTION stamp();
--! trigger-columns | loans_stamp | error
DROP TRIGGER loans_stamp ON loans; CREATE TRIGGER loans_stamp BEFORE UPDATE OF state ON loans FOR EACH ROW EXECUTE FUNCTION stamp();
--! trigger-level | loans_stamp | error
DROP TRIGGER loans_stamp ON loans; CREATE TRIGGER loans_stamp BEFORE UPDATE OF days ON loans FOR EACH STATEMENT EXECUTE FUNCTION stamp();
--! trigger-function | loans_stamp | error
CREATE FUNCTION other_stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; DROP TRIGGER loans_stamp ON loans; CREATE TRIGGER loans_stamp BEFORE UPDATE OF days ON loans FOR EACH ROW EXECUTE FUNCTION other_stamp();
--! trigger-disabled | members_stamp | error
ALTER TABLE members DISABLE TRIGGER members_stamp;
--! triggers-all-disabled | loans | error
ALTER TABLE loans DISABLE TRIGGER ALL;
--! trigger-always | members_stamp | error
ALTER TABLE members ENABLE ALWAYS TRIGGER members_stamp;
--! trigger-renamed | members_touch | notice
ALTER TRIGGER members_stamp ON members RENAME TO members_touch;
--! trigger-argument | members_stamp | error
DROP TRIGGER members_stamp ON members; CREATE TRIGGER members_stamp BEFORE UPDATE ON members FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION stamp('x');
--! rule-missing | keep_version | error
DROP RULE keep_version ON settings;
--! rule-changed | keep_version | error
CREATE OR REPLACE RULE keep_version AS ON DELETE TO settings WHERE OLD.key = 'v' DO INSTEAD NOTHING;
--! rule-disabled | keep_version | error
ALTER TABLE settings DISABLE RULE keep_version;
--! event-trigger-missing | watch_ddl | warning
DROP EVENT TRIGGER watch_ddl;
--! event-trigger-disabled | watch_ddl | warning
ALTER EVENT TRIGGER watch_ddl DISABLE;
--! event-trigger-tags | watch_ddl | warning
DROP EVENT TRIGGER watch_ddl; CREATE EVENT TRIGGER watch_ddl ON ddl_command_end WHEN TAG IN ('DROP VIEW') EXECUTE FUNCTION on_ddl();
--! rls-off | loans | error
ALTER TABLE loans DISABLE ROW LEVEL SECURITY;
--! rls-on | members | error
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
--! rls-forced | loans | error
ALTER TABLE loans FORCE ROW LEVEL SECURITY;
--! policy-missing | loans_own | error
DROP POLICY loans_own ON loans;
--! policy-using | loans_own | error
ALTER POLICY loans_own ON loans USING (true);
--! policy-roles | loans_own | error
ALTER POLICY loans_own ON loans TO PUBLIC;
--! policy-restrictive | loans_own | error
DROP POLICY loans_own ON loans; CREATE POLICY loans_own ON loans AS RESTRICTIVE FOR SELECT TO drift_app USING (state <> 'hidden');
--! policy-renamed | loans_mine | notice
ALTER POLICY loans_own ON loans RENAME TO loans_mine;
--! extension-missing | citext | error
ALTER TABLE members ALTER nick TYPE text; DROP EXTENSION citext;
--! extension-missing-cascade | citext | error
DROP EXTENSION citext CASCADE;
--! extension-extra | btree_gist | error
CREATE EXTENSION btree_gist;
--! extension-schema | citext | warning
ALTER EXTENSION citext SET SCHEMA archive;
--! extension-version | pg_trgm | warning
DROP INDEX ix_books_trgm; DROP EXTENSION pg_trgm; CREATE EXTENSION pg_trgm VERSION '1.3'; CREATE INDEX ix_books_trgm ON books USING gin (title gin_trgm_ops);
--! comment-column | members.email | notice
COMMENT ON COLUMN members.email IS 'Mail';
--! comment-added | books | notice
COMMENT ON TABLE books IS 'Books';
--! comment-index | ix_members_email | notice
COMMENT ON INDEX ix_members_email IS NULL;
--! comment-function | tidy | notice
COMMENT ON FUNCTION tidy IS NULL;
--! comment-constraint | ck_books_price | notice
COMMENT ON CONSTRAINT ck_books_price ON books IS 'x';
--! comment-schema | archive | notice
COMMENT ON SCHEMA archive IS 'Old';
--! comment-view | active_members | notice
COMMENT ON VIEW active_members IS 'x';
--! comment-trigger | members_stamp | notice
COMMENT ON TRIGGER members_stamp ON members IS 'x';
--! comment-policy | loans_own | notice
COMMENT ON POLICY loans_own ON loans IS 'x';
--! comment-sequence | loan_number | notice
COMMENT ON SEQUENCE loan_number IS 'x';
--! comment-domain | rating | notice
COMMENT ON DOMAIN rating IS 'x';
--! grant-missing | members | warning
REVOKE INSERT ON members FROM drift_app;
--! grant-option | members | warning
GRANT SELECT ON members TO drift_app WITH GRANT OPTION;
--! grant-public | settings | warning
GRANT SELECT ON settings TO PUBLIC;
--! grant-column | members.email | warning
GRANT UPDATE (email) ON members TO drift_app;
--! grant-schema | archive | warning
REVOKE USAGE ON SCHEMA archive FROM drift_app;
--! grant-function | tidy | warning
REVOKE EXECUTE ON FUNCTION tidy FROM drift_app;
--! grant-function-public | years | warning
REVOKE EXECUTE ON FUNCTION years FROM PUBLIC;
--! grant-type | genre | warning
REVOKE USAGE ON TYPE genre FROM PUBLIC;
--! grant-sequence | loan_number | warning
REVOKE USAGE ON SEQUENCE loan_number FROM drift_app;
--! grant-all-tables | books | warning
GRANT SELECT ON ALL TABLES IN SCHEMA public TO drift_app;
--! grant-default | archive | warning
ALTER DEFAULT PRIVILEGES IN SCHEMA archive REVOKE SELECT ON TABLES FROM drift_app;
--! grant-default-extra | functions | warning
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
--! grant-language | plpgsql | warning
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
--! domain-missing | isbn | error
ALTER TABLE books ALTER code TYPE text; DROP DOMAIN isbn;
--! domain-extra | zip | warning
CREATE DOMAIN zip AS text CHECK (VALUE <> '');
--! domain-check-missing | isbn_form | error
ALTER DOMAIN isbn DROP CONSTRAINT isbn_form;
--! domain-check-renamed | isbn_shape | notice
ALTER DOMAIN isbn RENAME CONSTRAINT isbn_form TO isbn_shape;
--! domain-not-null | isbn | error
ALTER DOMAIN isbn SET NOT NULL;
--! domain-base | rating | error
ALTER TABLE books DROP COLUMN score; DROP DOMAIN rating; CREATE DOMAIN rating AS numeric(4,1) DEFAULT 0 NOT NULL CONSTRAINT rating_bounds CHECK (VALUE >= 0 AND VALUE <= 10); ALTER TABLE books ADD COLUMN score rating;
--! domain-renamed | grade | error
ALTER DOMAIN rating RENAME TO grade;
--! composite-attribute-missing | spot | error
ALTER TYPE spot DROP ATTRIBUTE shelf;
--! composite-attribute-extra | spot | error
ALTER TYPE spot ADD ATTRIBUTE side text;
--! composite-attribute-renamed | spot | error
ALTER TYPE spot RENAME ATTRIBUTE room TO hall;
--! composite-missing | spot | error
DROP TYPE spot CASCADE;
--! composite-extra | pair | warning
CREATE TYPE pair AS (a integer, b integer);
--! range-missing | year_range | warning
DROP TYPE year_range;
--! range-changed | year_range | error
DROP TYPE year_range; CREATE TYPE year_range AS RANGE (subtype = bigint);
--! partition-missing | visits_2025 | error
DROP TABLE visits_2025;
--! partition-extra | visits_2027 | error
CREATE TABLE visits_2027 PARTITION OF visits FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--! partition-default | visits_rest | error
CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
--! partition-detached | visits_2025 | error
ALTER TABLE visits DETACH PARTITION visits_2025;
--! partition-bounds | visits_2026 | error
ALTER TABLE visits DETACH PARTITION visits_2026; ALTER TABLE visits ATTACH PARTITION visits_2026 FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
--! partition-column | visits.door | error
ALTER TABLE visits ALTER COLUMN door TYPE varchar(9);
--! partition-column-extra | visits.gate | error
ALTER TABLE visits ADD COLUMN gate integer DEFAULT 1 NOT NULL;
--! partition-default-differs | visits_2025.door | error
ALTER TABLE visits_2025 ALTER COLUMN door SET DEFAULT 'east';
--! partition-method | visits | error
DROP TABLE visits; CREATE TABLE visits (id bigserial, day date NOT NULL, door text, CONSTRAINT visits_pkey PRIMARY KEY (id, day)) PARTITION BY LIST (day); CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES IN ('2025-01-01'); CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES IN ('2026-01-01'); CREATE INDEX ix_visits_door ON visits (door);
--! unpartitioned | visits | error
DROP TABLE visits; CREATE TABLE visits (id bigserial, day date NOT NULL, door text, CONSTRAINT visits_pkey PRIMARY KEY (id, day)); CREATE INDEX ix_visits_door ON visits (door);
--! inherit-removed | door_events | error
ALTER TABLE door_events NO INHERIT events;
--! inherit-added | books | error
ALTER TABLE books ADD COLUMN at timestamptz NOT NULL DEFAULT now(), ADD COLUMN who text; ALTER TABLE books INHERIT events;
--! inherit-column | events.who | error
ALTER TABLE events ALTER COLUMN who TYPE varchar(50);
--! schema-extra | extra | error
CREATE SCHEMA extra; CREATE TABLE extra.things (id serial PRIMARY KEY);
--! schema-missing | archive | error
DROP SCHEMA archive CASCADE;
--! schema-renamed | vault | error
ALTER SCHEMA archive RENAME TO vault;
--! function-owner | years | notice
ALTER FUNCTION years OWNER TO drift_app;
--! collation-missing | by_number | warning
DROP COLLATION by_number;
--! collation-changed | by_number | error
DROP COLLATION by_number; CREATE COLLATION by_number (provider = icu, locale = 'de-u-kn-true');
--! statistics-missing | st_books | notice
DROP STATISTICS st_books;
--! statistics-changed | st_books | notice
DROP STATISTICS st_books; CREATE STATISTICS st_books (dependencies) ON kind, price FROM books;
--! cast-missing | spot | warning
DROP CAST (spot AS text);
--! publication-missing | pub_members | notice
DROP PUBLICATION pub_members;
--! publication-operations | pub_members | notice
ALTER PUBLICATION pub_members SET (publish = 'insert');
--! text-search-missing | plain_words | warning
DROP TEXT SEARCH CONFIGURATION plain_words;
--! text-search-mapping | plain_words | warning
ALTER TEXT SEARCH CONFIGURATION plain_words ALTER MAPPING FOR word WITH english_stem;
--! text-search-dictionary | nice | warning
CREATE TEXT SEARCH DICTIONARY nice (TEMPLATE = pg_catalog.simple, STOPWORDS = english);
--! foreign-server | remote | notice
CREATE FOREIGN DATA WRAPPER none_fdw; CREATE SERVER remote FOREIGN DATA WRAPPER none_fdw; CREATE USER MAPPING FOR PUBLIC SERVER remote OPTIONS (password 'x');
--! foreign-table | remote_books | error
CREATE FOREIGN DATA WRAPPER none_fdw; CREATE SERVER remote FOREIGN DATA WRAPPER none_fdw; CREATE FOREIGN TABLE remote_books (id integer) SERVER remote;
--! database-setting | work_mem | notice
DO $x$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END $x$;
--! hostile-names | a.b; "c" 'd' | error
CREATE TABLE "a.b; ""c"" 'd'" ("x y" integer PRIMARY KEY, "per%cent" text CHECK ("per%cent" <> ''''));
--! temporal-key | stays_key | error | 18
CREATE EXTENSION btree_gist; ALTER TABLE bookings ADD CONSTRAINT stays_key UNIQUE (room, during WITHOUT OVERLAPS);
--! virtual-column | books.twice | error | 18
ALTER TABLE books ADD COLUMN twice numeric GENERATED ALWAYS AS (price * 2) VIRTUAL;
--! comment-extension | citext | notice
COMMENT ON EXTENSION citext IS 'for addresses';
--! comment-attribute | spot | notice
COMMENT ON COLUMN spot.room IS 'upstairs too';
--! comment-public | public | notice
COMMENT ON SCHEMA public IS 'ours';
--! grant-database | database | warning
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO drift_app', current_database()); END $$;
--! owner-database | database | notice
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO drift_app', current_database()); END $$;
