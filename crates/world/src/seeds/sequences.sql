-- Rows that brought their numbers along leave their sequences behind: each goes on after the last of them.
DO $$
DECLARE advance text;
BEGIN
  FOR advance IN
    SELECT format('SELECT setval(%L, m) FROM (SELECT max(%I)::int8 AS m FROM %I.%I) t, %I.%I s
                   WHERE m >= s.last_value + s.is_called::int AND m <= %s',
                  format('%I.%I', n.nspname, c.relname), a.attname, tn.nspname, t.relname, n.nspname, c.relname, s.seqmax)
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
      AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE s.seqincrement > 0 AND c.relpersistence <> 't' AND t.relkind IN ('r', 'p')
      AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
      AND CASE WHEN c.relkind = 'S' THEN has_table_privilege(t.oid, 'SELECT') AND has_sequence_privilege(c.oid, 'UPDATE')
                                         AND has_sequence_privilege(c.oid, 'SELECT') END
  LOOP
    EXECUTE advance;
  END LOOP;
END $$;
