-- Schemas, tables, views, their columns, and sequences.
SELECT 'schema' AS kind, s.name AS space, '' AS relation, '' AS name, json_strip_nulls(json_build_object(
  'owner', pg_get_userbyid(s.nspowner), 'acl', s.nspacl::text[],
  'default acl', CASE WHEN s.nspacl IS NOT NULL THEN acldefault('n', s.nspowner)::text[] END,
  'comment', d.description))::text AS facts
FROM space s LEFT JOIN said d ON d.objoid = s.oid AND d.classoid = 'pg_namespace'::regclass
WHERE s.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_namespace'::regclass)

UNION ALL
SELECT 'relation', r.space, r.name, '', json_strip_nulls(json_build_object(
  'is', CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
        WHEN 'p' THEN 'partitioned table' ELSE 'table' END,
  'persistence', CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
  'row security', CASE WHEN r.relrowsecurity THEN 'on' END,
  'forced row security', CASE WHEN r.relforcerowsecurity THEN 'on' END,
  'replica identity', CASE r.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN CASE WHEN r.relkind IN ('r', 'p') THEN 'nothing' END END,
  'access method', (SELECT amname FROM pg_am a WHERE a.oid = r.relam AND amname <> 'heap'),
  'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = r.reltablespace),
  'options', r.reloptions,
  'toast options', (SELECT t.reloptions FROM pg_class t WHERE t.oid = r.reltoastrelid),
  'of type', CASE WHEN r.reloftype <> 0 THEN format_type(r.reloftype, NULL) END,
  'partition key', CASE r.relkind WHEN 'p' THEN pg_get_partkeydef(r.oid) END,
  'partition bound', CASE WHEN r.relispartition THEN pg_get_expr(r.relpartbound, r.oid) END,
  'parents', (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = r.oid),
  'detaching', (SELECT 'yes' FROM pg_inherits i WHERE i.inhrelid = r.oid AND i.inhdetachpending LIMIT 1), --14+
  'definition', CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
  'data', CASE WHEN r.relkind = 'm' AND NOT r.relispopulated THEN 'never filled' END,
  'server', f.srvname, 'foreign options', f.ftoptions,
  'owner', pg_get_userbyid(r.relowner), 'acl', r.relacl::text[],
  'default acl', CASE WHEN r.relacl IS NOT NULL THEN acldefault('r', r.relowner)::text[] END,
  'comment', d.description))::text
FROM rel r
LEFT JOIN said d ON d.objoid = r.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
LEFT JOIN (SELECT ft.ftrelid, fs.srvname, ft.ftoptions FROM pg_foreign_table ft JOIN pg_foreign_server fs ON fs.oid = ft.ftserver) f
  ON f.ftrelid = r.oid

UNION ALL
SELECT 'column', r.space, r.name, a.attname::text, json_strip_nulls(json_build_object(
  'at', a.attnum,
  'type', format_type(a.atttypid, a.atttypmod),
  'not null', CASE WHEN a.attnotnull THEN 'yes' END,
  'not null rule', CASE WHEN n.oid IS NOT NULL THEN concat_ws(', ', CASE WHEN n.connoinherit THEN 'no inherit' END, CASE WHEN NOT n.convalidated THEN 'not valid' END) END, --18+
  'default', CASE a.attgenerated WHEN '' THEN pg_get_expr(e.adbin, e.adrelid) END,
  'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(e.adbin, e.adrelid) END,
  'kept', CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END,
  'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
  'identity options', CASE WHEN q.seqrelid IS NOT NULL THEN format('start %s increment %s from %s to %s cache %s%s', q.seqstart,
     q.seqincrement, q.seqmin, CASE WHEN q.seqmax = CASE q.seqtypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype
     THEN 2147483647 ELSE 9223372036854775807 END THEN 'its end' ELSE q.seqmax::text END, q.seqcache, CASE WHEN q.seqcycle THEN ' cycle' END) END,
  'collation', CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0 THEN a.attcollation::regcollation::text END,
  'storage', CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
     WHEN 'm' THEN 'main' ELSE 'extended' END END,
  'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END, --14+
  'statistics target', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
  'options', a.attoptions, 'foreign options', a.attfdwoptions,
  'acl', a.attacl::text[],
  'comment', d.description))::text
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum AND a.atthasdef
LEFT JOIN said d ON d.objoid = r.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
LEFT JOIN seq q ON q.deptype = 'i' AND q.refobjid = a.attrelid AND q.refobjsubid = a.attnum
LEFT JOIN pg_constraint n ON n.contype = 'n' AND n.conrelid = a.attrelid AND n.conkey[1] = a.attnum AND (n.connoinherit OR NOT n.convalidated) --18+

UNION ALL
SELECT 'sequence', s.name, c.relname::text, '', json_strip_nulls(json_build_object(
  'type', format_type(q.seqtypid, NULL), 'start', q.seqstart, 'increment', q.seqincrement, 'minimum', q.seqmin, 'maximum', q.seqmax,
  'cache', q.seqcache, 'cycle', CASE WHEN q.seqcycle THEN 'yes' END,
  'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
  'owned by', r.space || '.' || r.name || '.' || a.attname,
  'serves', CASE WHEN pg_get_expr(e.adbin, e.adrelid) = format('nextval(%L::regclass)', q.seqrelid::regclass::text) THEN 'its default' END,
  'owner', pg_get_userbyid(c.relowner), 'acl', c.relacl::text[],
  'default acl', CASE WHEN c.relacl IS NOT NULL THEN acldefault('s', c.relowner)::text[] END,
  'comment', d.description))::text
FROM seq q JOIN pg_class c ON c.oid = q.seqrelid JOIN space s ON s.oid = c.relnamespace
LEFT JOIN rel r ON r.oid = q.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = q.refobjid AND a.attnum = q.refobjsubid
LEFT JOIN pg_attrdef e ON e.adrelid = q.refobjid AND e.adnum = q.refobjsubid
LEFT JOIN said d ON d.objoid = q.seqrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
WHERE q.deptype IS DISTINCT FROM 'i' AND c.relpersistence <> 't'
  AND c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
