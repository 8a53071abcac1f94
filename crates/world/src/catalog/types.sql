-- Types, collations, and everything about text search.
SELECT 'type' AS kind, s.name AS space, '' AS relation, t.typname::text AS name, json_strip_nulls(json_build_object(
  'is', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite type' WHEN 'r' THEN 'range type' ELSE 'base type' END,
  'labels', CASE t.typtype WHEN 'e' THEN (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) END,
  'base type', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
  'default', CASE t.typtype WHEN 'd' THEN coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) END,
  'not null', CASE WHEN t.typnotnull THEN 'yes' END,
  'collation', CASE WHEN t.typtype = 'd' AND t.typcollation <> 0 AND t.typcollation <> b.typcollation THEN t.typcollation::regcollation::text END,
  'attributes', CASE t.typtype WHEN 'c' THEN (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attcollation NOT IN (0, (SELECT typcollation FROM pg_type WHERE oid = a.atttypid))
          THEN ' collate ' || a.attcollation::regcollation ELSE '' END) ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END,
  'subtype', format_type(g.rngsubtype, NULL),
  'subtype class', (SELECT opcname FROM pg_opclass o WHERE o.oid = g.rngsubopc AND NOT o.opcdefault),
  'subtype collation', CASE WHEN g.rngcollation NOT IN (0, 100) THEN g.rngcollation::regcollation::text END,
  'canonical', nullif(g.rngcanonical::text, '-'), 'subtype difference', nullif(g.rngsubdiff::text, '-'),
  'multirange', (SELECT m.typname FROM pg_type m WHERE m.oid = g.rngmultitypid), --14+
  'functions', CASE t.typtype WHEN 'b' THEN concat_ws(' ', t.typinput, t.typoutput, t.typlen) END,
  'owner', pg_get_userbyid(t.typowner), 'acl', t.typacl::text[],
  'default acl', CASE WHEN t.typacl IS NOT NULL THEN acldefault('T', t.typowner)::text[] END,
  'comment', nullif(concat_ws('; ', d.description, CASE t.typtype WHEN 'c' THEN
     (SELECT string_agg(a.attname || ': ' || c.description, '; ' ORDER BY a.attnum) FROM said c
      JOIN pg_attribute a ON a.attrelid = c.objoid AND a.attnum = c.objsubid
      WHERE c.objoid = t.typrelid AND c.classoid = 'pg_class'::regclass) END), '')))::text AS facts
FROM pg_type t JOIN space s ON s.oid = t.typnamespace
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_range g ON g.rngtypid = t.oid
LEFT JOIN said d ON d.objoid = t.oid AND d.classoid = 'pg_type'::regclass
WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'b' AND t.typelem = 0)
       OR (t.typtype = 'c' AND (SELECT c.relkind FROM pg_class c WHERE c.oid = t.typrelid) = 'c'))
  AND t.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)

UNION ALL
SELECT 'domain constraint', s.name, t.typname::text, c.conname::text, json_strip_nulls(json_build_object(
  'definition', pg_get_constraintdef(c.oid), 'comment', d.description))::text
FROM pg_constraint c JOIN pg_type t ON t.oid = c.contypid JOIN space s ON s.oid = t.typnamespace
LEFT JOIN said d ON d.objoid = c.oid AND d.classoid = 'pg_constraint'::regclass
WHERE c.contype = 'c' AND t.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)

UNION ALL
SELECT 'collation', s.name, '', c.collname::text, json_strip_nulls(json_build_object(
  'provider', c.collprovider, 'deterministic', CASE WHEN NOT c.collisdeterministic THEN 'no' END,
  'collate', c.collcollate, 'character type', c.collctype,
  'locale', c.colliculocale, --15-16
  'locale', c.colllocale, --17+
  'rules', c.collicurules, --16+
  'owner', pg_get_userbyid(c.collowner), 'comment', d.description))::text
FROM pg_collation c JOIN space s ON s.oid = c.collnamespace
LEFT JOIN said d ON d.objoid = c.oid AND d.classoid = 'pg_collation'::regclass
WHERE c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_collation'::regclass)

UNION ALL
SELECT 'conversion', s.name, '', c.conname::text, json_strip_nulls(json_build_object(
  'from', pg_encoding_to_char(c.conforencoding), 'to', pg_encoding_to_char(c.contoencoding), 'function', c.conproc::text,
  'default', CASE WHEN c.condefault THEN 'yes' END))::text
FROM pg_conversion c JOIN space s ON s.oid = c.connamespace
WHERE c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_conversion'::regclass)

UNION ALL
SELECT 'text search configuration', s.name, '', c.cfgname::text, json_strip_nulls(json_build_object(
  'parser', (SELECT prsname FROM pg_ts_parser p WHERE p.oid = c.cfgparser),
  'mappings', (SELECT string_agg(format('%s: %s', m.maptokentype, m.mapdict::regdictionary), ', ' ORDER BY m.maptokentype, m.mapseqno)
     FROM pg_ts_config_map m WHERE m.mapcfg = c.oid),
  'owner', pg_get_userbyid(c.cfgowner), 'comment', d.description))::text
FROM pg_ts_config c JOIN space s ON s.oid = c.cfgnamespace
LEFT JOIN said d ON d.objoid = c.oid AND d.classoid = 'pg_ts_config'::regclass
WHERE c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_ts_config'::regclass)

UNION ALL
SELECT 'text search dictionary', s.name, '', c.dictname::text, json_strip_nulls(json_build_object(
  'template', (SELECT tmplname FROM pg_ts_template p WHERE p.oid = c.dicttemplate), 'init', c.dictinitoption,
  'owner', pg_get_userbyid(c.dictowner), 'comment', d.description))::text
FROM pg_ts_dict c JOIN space s ON s.oid = c.dictnamespace
LEFT JOIN said d ON d.objoid = c.oid AND d.classoid = 'pg_ts_dict'::regclass
WHERE c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_ts_dict'::regclass)

UNION ALL
SELECT 'text search parser', s.name, '', c.prsname::text, json_build_object(
  'functions', concat_ws(' ', c.prsstart, c.prstoken, c.prsend, c.prsheadline, c.prslextype))::text
FROM pg_ts_parser c JOIN space s ON s.oid = c.prsnamespace
WHERE c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_ts_parser'::regclass)

UNION ALL
SELECT 'text search template', s.name, '', c.tmplname::text, json_build_object('functions', concat_ws(' ', c.tmplinit, c.tmpllexize))::text
FROM pg_ts_template c JOIN space s ON s.oid = c.tmplnamespace
WHERE c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_ts_template'::regclass)
