-- The user's tables as a capture writes them, as JSON. Partitions come with their root.
SELECT json_agg(t ORDER BY t.schema, t.name)::text AS said FROM (
  SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned,
         (SELECT coalesce(sum(pg_table_size(p.relid)), pg_table_size(c.oid))::int8
          FROM pg_partition_tree(c.oid) p) AS bytes,
         (SELECT coalesce(json_agg(json_build_object(
             'name', a.attname, 'generated', a.attgenerated <> '', 'not_null', a.attnotnull OR t.typnotnull,
             'default', a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
             'text', t.typcategory = 'S', 'collated', a.attcollation <> 0) ORDER BY a.attnum), '[]')
          FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         (SELECT coalesce(json_agg(a.attname ORDER BY k.place), '[]')
          FROM pg_constraint p, unnest(p.conkey) WITH ORDINALITY k(number, place), pg_attribute a
          WHERE p.conrelid = c.oid AND p.contype = 'p' AND a.attrelid = c.oid AND a.attnum = k.number) AS key,
         (SELECT coalesce(json_agg(json_build_object(
             'table', format('%I.%I', fn.nspname, fc.relname), 'name', format('%I', f.conname),
             'schema', rn.nspname, 'parent', r.relname, 'deferrable', f.condeferrable, 'deferred', f.condeferred)
             ORDER BY fn.nspname, fc.relname, f.conname), '[]')
          FROM pg_constraint f JOIN pg_class fc ON fc.oid = f.conrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace
          JOIN pg_class r ON r.oid = coalesce(pg_partition_root(f.confrelid), f.confrelid)
          JOIN pg_namespace rn ON rn.oid = r.relnamespace
          WHERE f.contype = 'f' AND f.conparentid = 0
            AND coalesce(pg_partition_root(f.conrelid), f.conrelid) = c.oid) AS references,
         (SELECT coalesce(json_agg(json_build_object(
             'name', format('%I', g.tgname), 'always', g.tgenabled = 'A') ORDER BY g.tgname), '[]')
          FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')) AS triggers,
         (SELECT coalesce(json_agg(format('%I.%I', sn.nspname, s.relname) ORDER BY sn.nspname, s.relname), '[]')
          FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
          JOIN pg_namespace sn ON sn.oid = s.relnamespace
          WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
            AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) AS sequences
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT c.relispartition AND n.nspname !~ '^pg_'
    AND n.nspname NOT IN ('information_schema', 'cleanslate') AND c.relname NOT IN ({bookkeeping})
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) t
