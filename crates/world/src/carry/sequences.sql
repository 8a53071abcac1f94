-- Every sequence with the column it serves, and as a statement where it stands.
SELECT coalesce(json_agg(q), '[]')::text AS said,
       string_agg(format('SELECT %s::int8 AS at, last_value AS value, is_called AS called FROM %s', q.at, q.name), ' UNION ALL ' ORDER BY q.at) AS states
FROM (
  SELECT row_number() OVER (ORDER BY s.seqrelid) - 1 AS at, s.seqincrement AS step,
         format('%I.%I', n.nspname, c.relname) AS name,
         CASE WHEN t.oid IS NOT NULL THEN format('"%s"."%s"', replace(tn.nspname, '"', '""'), replace(t.relname, '"', '""')) END AS "table",
         a.attname AS "column"
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.objsubid = 0
    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  LEFT JOIN pg_class t ON t.oid = d.refobjid LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'cleanslate')
    AND coalesce(t.relname, '') NOT IN ({bookkeeping}) AND c.relname <> '_sqlx_migrations_id_seq') q
