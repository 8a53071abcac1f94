-- The user's tables with their columns, as JSON. Partitions come with their root.
SELECT json_build_object('tables', coalesce(json_agg(t ORDER BY t.schema, t.name), '[]'))::text AS said FROM (
  SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned,
         (SELECT json_build_object('schema', rn.nspname, 'name', r.relname)
          FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace
          WHERE c.relispartition AND r.oid = pg_partition_root(c.oid)) AS root,
         (SELECT coalesce(json_agg(json_build_object(
             'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'base', format_type(a.atttypid, -1),
             'builtin', a.atttypid < 16384, 'text', t.typcategory = 'S',
             'not_null', a.attnotnull OR t.typnotnull,
             'default', (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
             'made_up', a.attidentity <> '' OR coalesce(made.up, false),
             'generated', a.attgenerated <> '',
             'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = a.atttypid)
           ) ORDER BY a.attnum), '[]')
          FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
          -- A call, or a clock that is written without one; the length in a cast is neither.
          LEFT JOIN LATERAL (
            SELECT regexp_replace(pg_get_expr(d.adbin, d.adrelid), '::[a-z ]+\([0-9, ]+\)', '', 'g') ~* '(\w\(|\mcurrent_|\mlocaltime)' AS up
            FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = '') made ON true
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
    AND n.nspname NOT IN ('information_schema', 'cleanslate') AND c.relname NOT IN ({bookkeeping})
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) t
