-- What acts on rows as they come, each with the statements that take it off and that put it back as it is.
WITH acting AS (
  SELECT 1 AS rank, f.oid, f.conrelid AS child, f.confrelid AS parent,
         format('ALTER TABLE %s DROP CONSTRAINT %I', f.conrelid::regclass, f.conname) AS off,
         concat_ws('; ', format('ALTER TABLE %s ADD CONSTRAINT %I %s', f.conrelid::regclass, f.conname, pg_get_constraintdef(f.oid)),
           CASE WHEN d.description IS NOT NULL THEN
             format('COMMENT ON CONSTRAINT %I ON %s IS %L', f.conname, f.conrelid::regclass, d.description) END) AS back
  FROM pg_constraint f LEFT JOIN pg_description d ON d.objoid = f.oid AND d.classoid = 'pg_constraint'::regclass
  WHERE f.contype = 'f' AND f.conparentid = 0
  UNION ALL
  SELECT 2, t.oid, t.tgrelid, t.tgrelid, format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', t.tgrelid::regclass, t.tgname),
         format('ALTER TABLE ONLY %s ENABLE %s TRIGGER %I', t.tgrelid::regclass,
                CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' END, t.tgname)
  FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
  UNION ALL
  SELECT 3, u.oid, u.ev_class, u.ev_class, format('ALTER TABLE %s DISABLE RULE %I', u.ev_class::regclass, u.rulename),
         format('ALTER TABLE %s ENABLE %s RULE %I', u.ev_class::regclass,
                CASE u.ev_enabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' END, u.rulename)
  FROM pg_rewrite u WHERE u.rulename <> '_RETURN' AND u.ev_enabled <> 'D'
  UNION ALL
  SELECT 4, c.oid, c.oid, c.oid, format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', c.oid::regclass),
         format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', c.oid::regclass)
  FROM pg_class c WHERE c.relforcerowsecurity),
root AS (
  SELECT c.oid, n.nspname, format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(r.relname, '"', '""')) AS name
  FROM pg_class c JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid) JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cleanslate')
    AND c.oid NOT IN (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e'))
SELECT c.name AS child, p.name AS parent, a.off, a.back
FROM acting a JOIN root c ON c.oid = a.child JOIN root p ON p.oid = a.parent ORDER BY a.rank, a.oid
