-- The foreign keys that hold, each with the statement that finds rows breaking it.
SELECT k.name, k.child, k.parent,
       format('FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)', k.rows, k.given, k.target, k.same) AS broken,
       k.key
FROM (
  SELECT f.conname::text AS name,
         format('"%s"."%s"', replace(cn.nspname, '"', '""'), replace(cr.relname, '"', '""')) AS child,
         format('"%s"."%s"', replace(pn.nspname, '"', '""'), replace(pr.relname, '"', '""')) AS parent,
         format(CASE WHEN c.relkind = 'p' THEN '%I.%I' ELSE 'ONLY %I.%I' END, n.nspname, c.relname) AS rows,
         format(CASE WHEN p.relkind = 'p' THEN '%I.%I' ELSE 'ONLY %I.%I' END, tn.nspname, p.relname) AS target,
         (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ')
          FROM pg_attribute a WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey)) AS given,
         (SELECT string_agg(format('p.%I = c.%I', pa.attname, ca.attname), ' AND ')
          FROM unnest(f.conkey, f.confkey) u(child, parent)
          JOIN pg_attribute ca ON ca.attrelid = f.conrelid AND ca.attnum = u.child
          JOIN pg_attribute pa ON pa.attrelid = f.confrelid AND pa.attnum = u.parent) AS same,
         (SELECT format('concat_ws('', '', %s)', string_agg(format('c.%I', a.attname), ', '))
          FROM pg_attribute a WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey)) AS key
  FROM pg_constraint f
  JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace tn ON tn.oid = p.relnamespace
  JOIN pg_class cr ON cr.oid = coalesce(pg_partition_root(c.oid), c.oid) JOIN pg_namespace cn ON cn.oid = cr.relnamespace
  JOIN pg_class pr ON pr.oid = coalesce(pg_partition_root(p.oid), p.oid) JOIN pg_namespace pn ON pn.oid = pr.relnamespace
  WHERE f.contype = 'f' AND f.conparentid = 0 AND f.convalidated AND cn.nspname NOT IN ('cleanslate')) k
ORDER BY k.child, k.name
