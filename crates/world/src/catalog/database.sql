-- What belongs to the database as a whole: extensions, event triggers, publications, foreign servers, rights, settings.
SELECT 'extension' AS kind, '' AS space, '' AS relation, e.extname::text AS name, json_strip_nulls(json_build_object(
  'schema', e.extnamespace::regnamespace::text, 'version', e.extversion,
  'provides', (SELECT string_agg(t.typname, ' ' ORDER BY t.typname) FROM pg_depend m JOIN pg_type t ON t.oid = m.objid
     WHERE m.deptype = 'e' AND m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid AND m.classid = 'pg_type'::regclass),
  'owner', pg_get_userbyid(e.extowner), 'comment', d.description))::text AS facts
FROM pg_extension e LEFT JOIN said d ON d.objoid = e.oid AND d.classoid = 'pg_extension'::regclass
WHERE e.oid >= 16384

UNION ALL
SELECT 'event trigger', '', '', t.evtname::text, json_strip_nulls(json_build_object(
  'event', t.evtevent, 'tags', (SELECT string_agg(g, ', ' ORDER BY g) FROM unnest(t.evttags) g), 'function', t.evtfoid::regproc::text,
  'fires', CASE t.evtenabled WHEN 'D' THEN 'never: it is disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END,
  'owner', pg_get_userbyid(t.evtowner), 'comment', d.description))::text
FROM pg_event_trigger t LEFT JOIN said d ON d.objoid = t.oid AND d.classoid = 'pg_event_trigger'::regclass
WHERE t.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_event_trigger'::regclass)

UNION ALL
SELECT 'publication', '', '', p.pubname::text, json_strip_nulls(json_build_object(
  'all tables', CASE WHEN p.puballtables THEN 'yes' END,
  'publishes', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
     CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END),
  'through the root', CASE WHEN p.pubviaroot THEN 'yes' END,
  'generated columns', nullif(p.pubgencols::text, 'n'), --18+
  'tables', (SELECT string_agg(r.prrelid::regclass::text
     || coalesce(' ' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)), '') --15+
     || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), '') --15+
     , ', ' ORDER BY r.prrelid::regclass::text) FROM pg_publication_rel r WHERE r.prpubid = p.oid),
  'schemas', (SELECT string_agg(n.pnnspid::regnamespace::text, ', ' ORDER BY n.pnnspid::regnamespace::text) FROM pg_publication_namespace n WHERE n.pnpubid = p.oid), --15+
  'owner', pg_get_userbyid(p.pubowner), 'comment', d.description))::text
FROM pg_publication p LEFT JOIN said d ON d.objoid = p.oid AND d.classoid = 'pg_publication'::regclass

UNION ALL
-- Its address stays unread: it holds a password.
SELECT 'subscription', '', '', s.subname::text, json_strip_nulls(json_build_object(
  'enabled', CASE WHEN s.subenabled THEN 'yes' END, 'publications', (SELECT string_agg(p, ', ' ORDER BY p) FROM unnest(s.subpublications) p),
  'slot', s.subslotname, 'owner', pg_get_userbyid(s.subowner)))::text
FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())

UNION ALL
SELECT 'foreign data wrapper', '', '', w.fdwname::text, json_strip_nulls(json_build_object(
  'handler', nullif(w.fdwhandler::regproc::text, '-'), 'validator', nullif(w.fdwvalidator::regproc::text, '-'),
  'owner', pg_get_userbyid(w.fdwowner), 'acl', w.fdwacl::text[],
  'default acl', CASE WHEN w.fdwacl IS NOT NULL THEN acldefault('F', w.fdwowner)::text[] END))::text
FROM pg_foreign_data_wrapper w
WHERE w.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_foreign_data_wrapper'::regclass)

UNION ALL
SELECT 'foreign server', '', '', f.srvname::text, json_strip_nulls(json_build_object(
  'wrapper', w.fdwname, 'type', f.srvtype, 'version', f.srvversion,
  'foreign options', ARRAY(SELECT o FROM unnest(f.srvoptions) o WHERE o !~* '^[^=]*(pass|secret|key|token)'),
  'owner', pg_get_userbyid(f.srvowner), 'acl', f.srvacl::text[],
  'default acl', CASE WHEN f.srvacl IS NOT NULL THEN acldefault('S', f.srvowner)::text[] END, 'comment', d.description))::text
FROM pg_foreign_server f JOIN pg_foreign_data_wrapper w ON w.oid = f.srvfdw
LEFT JOIN said d ON d.objoid = f.oid AND d.classoid = 'pg_foreign_server'::regclass
WHERE f.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_foreign_server'::regclass)

UNION ALL
-- Its options stay unread: they hold a password.
SELECT 'user mapping', '', '', format('%s on %s', CASE m.umuser WHEN 0 THEN 'public' ELSE m.usename::text END, m.srvname), '{}'
FROM pg_user_mappings m

UNION ALL
SELECT 'default privileges', coalesce(n.nspname::text, ''), '', format('%s by %s', CASE a.defaclobjtype WHEN 'r' THEN 'tables'
     WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
     pg_get_userbyid(a.defaclrole)),
  json_strip_nulls(json_build_object('acl', a.defaclacl::text[], 'grantor', pg_get_userbyid(a.defaclrole),
  'default acl', CASE WHEN a.defaclnamespace = 0 AND a.defaclobjtype <> 'L' THEN acldefault(CASE a.defaclobjtype WHEN 'S' THEN 's' ELSE a.defaclobjtype END, a.defaclrole)::text[] END))::text
FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace

UNION ALL
SELECT 'setting', '', '', coalesce(r.rolname || ': ', '') || lower(split_part(c, '=', 1)), json_build_object('value', substr(c, strpos(c, '=') + 1))::text
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c

UNION ALL
SELECT 'database', '', '', '', json_strip_nulls(json_build_object('encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate,
  'character type', d.datctype, 'owner', pg_get_userbyid(d.datdba), 'acl', d.datacl::text[],
  'default acl', CASE WHEN d.datacl IS NOT NULL THEN acldefault('d', d.datdba)::text[] END))::text
FROM pg_database d WHERE d.datname = current_database()

UNION ALL
SELECT 'security label', '', '', format('%s %s by %s', l.objtype, l.objname, l.provider), json_build_object('label', l.label)::text
FROM pg_seclabels l WHERE l.objtype NOT IN ('database', 'role', 'tablespace')
