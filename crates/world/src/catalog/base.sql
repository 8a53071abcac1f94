-- What every part refers to: the user's schemas, what extensions own, comments, relations, sequences.
WITH space AS MATERIALIZED (
  SELECT oid, nspname::text AS name, nspowner, nspacl FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'cleanslate')),
member AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
said AS MATERIALIZED (
  SELECT objoid, classoid, objsubid, description FROM pg_description
  WHERE objoid >= 16384 OR (classoid = 'pg_namespace'::regclass AND description <> 'standard public schema')),
rel AS MATERIALIZED (
  SELECT s.name AS space, c.relname::text AS name, c.oid, c.relkind, c.relpersistence, c.relowner, c.relacl, c.relam,
         c.reltablespace, c.reloptions, c.reltoastrelid, c.relreplident, c.relispartition, c.relpartbound, c.reloftype,
         c.relrowsecurity, c.relforcerowsecurity, c.relispopulated
  FROM pg_class c JOIN space s ON s.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
    AND c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)),
seq AS MATERIALIZED (
  SELECT q.*, d.deptype, d.refobjid, d.refobjsubid
  FROM pg_sequence q LEFT JOIN pg_depend d
    ON d.classid = 'pg_class'::regclass AND d.objid = q.seqrelid AND d.objsubid = 0
   AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
