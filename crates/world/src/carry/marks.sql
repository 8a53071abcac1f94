-- How often each table's rows were written, by Postgres' own counters; nothing where it may lose count.
SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 AND current_setting('track_counts')::bool
            THEN json_object_agg(m.name, m.mark)::text END AS said FROM (
  SELECT format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(r.relname, '"', '""')) AS name,
         string_agg(concat_ws('/', c.oid, c.relfilenode, pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid),
                              pg_stat_get_tuples_deleted(c.oid), s.stats_reset), ' ' ORDER BY c.oid) AS mark
  FROM pg_class c JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
  JOIN pg_namespace n ON n.oid = r.relnamespace
  CROSS JOIN (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()) s
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND (n.nspname !~ '^pg_' OR r.relname IN ('pg_largeobject', 'pg_largeobject_metadata'))
    AND n.nspname NOT IN ('information_schema', 'cleanslate')
  GROUP BY 1
  UNION ALL
  -- Every change of a definition writes a column's row anew.
  SELECT '', md5(coalesce(string_agg(concat_ws('/', a.attrelid, a.attnum, a.xmin), ' ' ORDER BY a.attrelid, a.attnum), ''))
             || (SELECT md5(coalesce(string_agg(concat_ws('/', e.oid, e.xmin), ' ' ORDER BY e.oid), '')) FROM pg_enum e)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384) m
