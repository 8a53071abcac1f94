--! now
CREATE TABLE t (a timestamptz DEFAULT now(), b timestamp DEFAULT now(), c date DEFAULT now(), d timestamptz DEFAULT now());
--!
CREATE TABLE t (a timestamptz DEFAULT CURRENT_TIMESTAMP, b timestamp DEFAULT LOCALTIMESTAMP, c date DEFAULT CURRENT_DATE, d timestamptz DEFAULT transaction_timestamp());
--! time zone
CREATE TABLE t (a timestamp DEFAULT (now() AT TIME ZONE 'utc'), b timestamp DEFAULT timezone('utc', now()));
--!
CREATE TABLE t (a timestamp DEFAULT timezone('UTC', now()), b timestamp DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'));
--! in list
CREATE TABLE t (a varchar(9) CONSTRAINT c CHECK (a IN ('x', 'y')), b text CONSTRAINT d CHECK (b IN ('x', 'y')), e integer CONSTRAINT f CHECK (e IN (1, 2)));
--!
CREATE TABLE t (a varchar(9) CONSTRAINT c CHECK (a::text = ANY (ARRAY['x'::varchar, 'y'::varchar]::text[])), b text CONSTRAINT d CHECK (b = ANY (ARRAY['y'::text, 'x'])), e integer CONSTRAINT f CHECK (e = 2 OR e = 1));
--! in list once more through text
CREATE TABLE t (a varchar(9) CONSTRAINT c CHECK (a IN ('x', 'y', 'z')));
--!
CREATE TABLE t (a varchar(9) CONSTRAINT c CHECK (((a)::text = ANY (ARRAY[('x'::character varying)::text, ('y'::character varying)::text, ('z'::character varying)::text]))));
--! numbers
CREATE TABLE t (a numeric(10,2) DEFAULT 0, b numeric(10,2) DEFAULT 1.50, c integer DEFAULT 5, d bigint DEFAULT 7, e double precision DEFAULT 0, f numeric(10,2) DEFAULT -1, g smallint DEFAULT 3);
--!
CREATE TABLE t (a numeric(10,2) DEFAULT 0.00, b numeric(10,2) DEFAULT '1.5', c integer DEFAULT '5', d bigint DEFAULT 7::bigint, e double precision DEFAULT 0.0, f numeric(10,2) DEFAULT '-1.0', g smallint DEFAULT '3'::smallint);
--! texts
CREATE TABLE t (a varchar(9) DEFAULT 'x', b text DEFAULT 'x', c char(3) DEFAULT 'x', d text[] DEFAULT '{}', e varchar(5)[] DEFAULT '{}', f text DEFAULT NULL, g boolean DEFAULT true);
--!
CREATE TABLE t (a varchar(9) DEFAULT 'x'::text, b text DEFAULT 'x'::varchar, c char(3) DEFAULT 'x'::bpchar, d text[] DEFAULT ARRAY[]::text[], e varchar(5)[] DEFAULT ARRAY[]::varchar[], f text DEFAULT NULL::text, g boolean DEFAULT 't');
--! serial spelled out
CREATE TABLE t (id serial PRIMARY KEY, b bigserial, c smallserial);
--!
CREATE SEQUENCE t_id_seq AS integer; CREATE SEQUENCE t_b_seq; CREATE SEQUENCE t_c_seq AS smallint;
CREATE TABLE t (id integer NOT NULL DEFAULT nextval('t_id_seq') PRIMARY KEY, b bigint NOT NULL DEFAULT nextval('t_b_seq'::regclass), c smallint NOT NULL DEFAULT nextval('public.t_c_seq'));
ALTER SEQUENCE t_id_seq OWNED BY t.id; ALTER SEQUENCE t_b_seq OWNED BY t.b; ALTER SEQUENCE t_c_seq OWNED BY t.c;
--! serial with a bigint sequence
CREATE TABLE t (id serial PRIMARY KEY);
--!
CREATE SEQUENCE t_id_seq; CREATE TABLE t (id integer NOT NULL DEFAULT nextval('t_id_seq') PRIMARY KEY); ALTER SEQUENCE t_id_seq OWNED BY t.id;
--! dropped columns
CREATE TABLE t (a integer, b text);
--!
CREATE TABLE t (x integer, a integer, y text, b text); ALTER TABLE t DROP COLUMN x, DROP COLUMN y;
--! brackets and order of conditions
CREATE TABLE t (a integer, b integer, CONSTRAINT c CHECK (a > 0 AND b > 0 AND a < b));
--!
CREATE TABLE t (a integer, b integer, CONSTRAINT c CHECK ((a > 0) AND ((b > 0) AND (a < b))));
--! between
CREATE TABLE t (a integer, CONSTRAINT c CHECK (a BETWEEN 1 AND 9), CONSTRAINT d CHECK (a NOT IN (4, 3)));
--!
CREATE TABLE t (a integer, CONSTRAINT c CHECK (a >= 1 AND a <= 9), CONSTRAINT d CHECK (a NOT IN (3, 4) ));
--! grants spelled out
CREATE TABLE t (a integer); CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
--!
CREATE TABLE t (a integer); CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; GRANT SELECT ON t TO drift_app; REVOKE SELECT ON t FROM drift_app; REVOKE ALL ON FUNCTION f() FROM PUBLIC; GRANT EXECUTE ON FUNCTION f() TO PUBLIC; GRANT ALL ON t TO CURRENT_USER;
--! foreign keys spelled out
CREATE TABLE t (a integer PRIMARY KEY, b integer REFERENCES t);
--!
CREATE TABLE t (a integer CONSTRAINT t_pkey PRIMARY KEY NOT NULL, b integer); ALTER TABLE t ADD CONSTRAINT t_b_fkey FOREIGN KEY (b) REFERENCES public.t (a) MATCH SIMPLE ON DELETE NO ACTION ON UPDATE NO ACTION NOT DEFERRABLE;
--! checks validated later
CREATE TABLE t (a integer CONSTRAINT c CHECK (a > 0), b integer NOT NULL);
--!
CREATE TABLE t (a integer, b integer); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t ALTER b SET NOT NULL;
--! views
CREATE VIEW v AS SELECT id, email FROM members WHERE email IN ('a', 'b') AND joined_on > CURRENT_DATE;
--!
CREATE VIEW v AS SELECT public.members.id, members.email FROM public.members WHERE ((members.email IN ('b', 'a')) AND members.joined_on > CURRENT_DATE);
--! function bodies
CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  RETURN 1;
END
$$;
--!
DO $o$ BEGIN EXECUTE 'CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100 AS $$' || E'\r\n\r\nBEGIN  \r\n  RETURN 1;\r\nEND\r\n' || '$$'; END $o$;
--! partitions
CREATE TABLE p (a integer NOT NULL, d date NOT NULL, CONSTRAINT p_pkey PRIMARY KEY (a, d), CONSTRAINT c CHECK (a > 0)) PARTITION BY RANGE (d); CREATE INDEX ix_p ON p (d); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
--!
CREATE TABLE p1 (a integer NOT NULL CONSTRAINT c CHECK (a > 0), d date NOT NULL, CONSTRAINT other PRIMARY KEY (a, d)); CREATE INDEX named_else ON p1 (d); CREATE TABLE p (a integer NOT NULL, d date NOT NULL, CONSTRAINT p_pkey PRIMARY KEY (a, d), CONSTRAINT c CHECK (a > 0)) PARTITION BY RANGE (d); CREATE INDEX ix_p ON p (d); ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
--! inheritance
CREATE TABLE i (a integer NOT NULL DEFAULT 1, CONSTRAINT c CHECK (a > 0)); CREATE TABLE j (b text) INHERITS (i);
--!
CREATE TABLE i (a integer NOT NULL DEFAULT 1, CONSTRAINT c CHECK (a > 0)); CREATE TABLE j (a integer NOT NULL DEFAULT 1, b text, CONSTRAINT c CHECK (a > 0)); ALTER TABLE j INHERIT i;
--! options at their defaults
CREATE TABLE t (a integer); CREATE INDEX ix_t ON t (a);
--!
CREATE TABLE t (a integer) WITH (fillfactor = 100, autovacuum_enabled = true); CREATE INDEX ix_t ON t USING btree (a) WITH (fillfactor = 90); ALTER TABLE t REPLICA IDENTITY DEFAULT; ALTER TABLE t ALTER a SET STATISTICS -1;
--! identity spelled out
CREATE TABLE t (a integer GENERATED BY DEFAULT AS IDENTITY);
--!
CREATE TABLE t (a integer NOT NULL); ALTER TABLE t ALTER a ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE);
--! books of migration tools
SELECT 1;
--!
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY); CREATE TABLE django_migrations (id serial PRIMARY KEY);
--! temporary things and our own
SELECT 1;
--!
CREATE TEMP TABLE passing (a integer); CREATE SCHEMA cleanslate; CREATE TABLE cleanslate.marker (one boolean);
--! domains in two steps
CREATE DOMAIN d AS text DEFAULT 'x' NOT NULL CONSTRAINT c CHECK (VALUE <> '');
--!
CREATE DOMAIN d AS text; ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE <> ''); ALTER DOMAIN d SET DEFAULT 'x'; ALTER DOMAIN d SET NOT NULL;
--! index expressions
CREATE INDEX ix ON members (lower(email), (prefs ->> 'a')) WHERE active AND visits > 0;
--!
CREATE INDEX ix ON members USING btree (lower((email)::text) ASC NULLS LAST, ((prefs ->> 'a'::text))) WHERE (visits > 0) AND (active);
--! generated columns
CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);
--!
CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS ((a) * (2)) STORED);
--! policies
CREATE POLICY p ON members FOR ALL TO PUBLIC USING (active);
--!
CREATE POLICY p ON members AS PERMISSIVE USING ((active));
--! comments removed and objects replaced
SELECT 1;
--!
COMMENT ON COLUMN members.note IS 'x'; COMMENT ON COLUMN members.note IS ''; CREATE OR REPLACE VIEW active_members AS SELECT m.id, m.email, m.favourite FROM members m WHERE m.active; ALTER TABLE loans RENAME TO loans2; ALTER TABLE loans2 RENAME TO loans; VACUUM FULL members; REINDEX TABLE books; ANALYZE; REFRESH MATERIALIZED VIEW loan_counts;
--! sequences by their defaults
CREATE SEQUENCE s;
--!
CREATE SEQUENCE s AS bigint INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1 NO CYCLE; SELECT nextval('s');
--! enums
CREATE TYPE e AS ENUM ('a', 'b', 'c');
--!
CREATE TYPE e AS ENUM ('c'); ALTER TYPE e ADD VALUE 'a' BEFORE 'c'; ALTER TYPE e ADD VALUE 'b' AFTER 'a';
--! not in
CREATE TABLE t (a integer, b text, CONSTRAINT c CHECK (a NOT IN (3, 4)), CONSTRAINT d CHECK (b NOT IN ('x', 'y') AND a <> 7));
--!
CREATE TABLE t (a integer, b text, CONSTRAINT c CHECK (NOT (a IN (4, 3))), CONSTRAINT d CHECK (NOT (a = 7) AND NOT b IN ('x', 'y')));
--! other names of a view's tables
CREATE VIEW v AS SELECT members.id FROM members; CREATE VIEW w AS SELECT members.id, books.id AS book FROM members JOIN books ON books.title > members.email WHERE members.active;
--!
CREATE VIEW v AS SELECT m.id FROM members m; CREATE VIEW w AS SELECT a.id, b.id AS book FROM members a JOIN books AS b ON b.title > a.email WHERE a.active;
--! options that say yes and no
CREATE TABLE t (a int) WITH (autovacuum_enabled = off); CREATE VIEW v WITH (security_barrier = on) AS SELECT 1 AS a;
--!
CREATE TABLE t (a int) WITH (autovacuum_enabled = false); CREATE VIEW v WITH (security_barrier = yes) AS SELECT 1 AS a;
