-- What is on tables: constraints, indexes, triggers, rules, policies, statistics.
SELECT 'constraint' AS kind, r.space, r.name AS relation, c.conname::text AS name, json_strip_nulls(json_build_object(
  'is', c.contype, 'definition', pg_get_constraintdef(c.oid),
  'valid', CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'no' END,
  'clustered', CASE WHEN i.indisclustered THEN 'yes' END,
  'replica identity', CASE WHEN i.indisreplident THEN 'yes' END,
  'options', x.reloptions,
  'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = x.reltablespace),
  'triggers', CASE WHEN c.contype = 'f' AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgenabled = 'D')
              THEN 'disabled' END,
  'comment', d.description))::text AS facts
FROM rel r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype IN ('p', 'u', 'c', 'x', 'f')
LEFT JOIN pg_index i ON i.indexrelid = c.conindid AND c.contype <> 'f'
LEFT JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN said d ON d.objoid = c.oid AND d.classoid = 'pg_constraint'::regclass
WHERE c.conparentid = 0 AND c.coninhcount = 0

UNION ALL
SELECT 'index', r.space, r.name, x.relname::text, json_strip_nulls(json_build_object(
  'definition', pg_get_indexdef(i.indexrelid),
  'valid', CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'no' END,
  'clustered', CASE WHEN i.indisclustered THEN 'yes' END,
  'replica identity', CASE WHEN i.indisreplident THEN 'yes' END,
  'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = x.reltablespace),
  'statistics target', (SELECT string_agg(format('%s: %s', a.attnum, a.attstattarget), ', ' ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0 AND i.indexprs IS NOT NULL),
  'comment', d.description))::text
FROM rel r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN said d ON d.objoid = i.indexrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
WHERE NOT x.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = r.oid AND c.contype IN ('p', 'u', 'x'))

UNION ALL
SELECT 'trigger', r.space, r.name, t.tgname::text, json_strip_nulls(json_build_object(
  'definition', pg_get_triggerdef(t.oid),
  'fires', CASE t.tgenabled WHEN 'D' THEN 'never: it is disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END,
  'comment', d.description))::text
FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal AND t.tgparentid = 0
LEFT JOIN said d ON d.objoid = t.oid AND d.classoid = 'pg_trigger'::regclass

UNION ALL
SELECT 'rule', r.space, r.name, u.rulename::text, json_strip_nulls(json_build_object(
  'definition', pg_get_ruledef(u.oid),
  'fires', CASE u.ev_enabled WHEN 'D' THEN 'never: it is disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END,
  'comment', d.description))::text
FROM rel r JOIN pg_rewrite u ON u.ev_class = r.oid AND u.rulename <> '_RETURN'
LEFT JOIN said d ON d.objoid = u.oid AND d.classoid = 'pg_rewrite'::regclass

UNION ALL
SELECT 'policy', r.space, r.name, p.polname::text, json_strip_nulls(json_build_object(
  'command', CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
  'permissive', CASE WHEN NOT p.polpermissive THEN 'no' END,
  'roles', (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE pg_get_userbyid(o)::text END, ', ' ORDER BY 1) FROM unnest(p.polroles) o),
  'using', pg_get_expr(p.polqual, p.polrelid), 'with check', pg_get_expr(p.polwithcheck, p.polrelid),
  'comment', d.description))::text
FROM rel r JOIN pg_policy p ON p.polrelid = r.oid
LEFT JOIN said d ON d.objoid = p.oid AND d.classoid = 'pg_policy'::regclass

UNION ALL
SELECT 'statistics', s.name, r.name, x.stxname::text, json_strip_nulls(json_build_object(
  'definition', pg_get_statisticsobjdef(x.oid), 'target', CASE WHEN x.stxstattarget >= 0 THEN x.stxstattarget END,
  'owner', pg_get_userbyid(x.stxowner),
  'comment', d.description))::text
FROM pg_statistic_ext x JOIN rel r ON r.oid = x.stxrelid JOIN space s ON s.oid = x.stxnamespace
LEFT JOIN said d ON d.objoid = x.oid AND d.classoid = 'pg_statistic_ext'::regclass
