-- Functions, procedures, aggregates, operators and casts.
SELECT 'routine' AS kind, s.name AS space, '' AS relation, format('%s(%s)', p.proname, oidvectortypes(p.proargtypes)) AS name,
  json_strip_nulls(json_build_object(
  'is', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window function' ELSE 'function' END,
  'returns', pg_get_function_result(p.oid), 'arguments', nullif(pg_get_function_arguments(p.oid), ''),
  'language', l.lanname, 'body', CASE WHEN p.prokind <> 'a' THEN coalesce(
     pg_get_function_sqlbody(p.oid), --14+
     p.prosrc) END,
  'binary', p.probin,
  'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
  'strict', CASE WHEN p.proisstrict THEN 'yes' END, 'security', CASE WHEN p.prosecdef THEN 'definer' END,
  'leakproof', CASE WHEN p.proleakproof THEN 'yes' END,
  'parallel', CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END,
  'cost', CASE WHEN p.procost <> CASE WHEN l.lanname IN ('c', 'internal') THEN 1 ELSE 100 END THEN p.procost END,
  'rows', CASE WHEN p.proretset AND p.prorows <> 1000 THEN p.prorows END,
  'settings', p.proconfig, 'support', nullif(p.prosupport::text, '-'),
  'transforms', (SELECT string_agg(format_type(y, NULL), ', ' ORDER BY 1) FROM unnest(p.protrftypes) y),
  'aggregate', CASE WHEN a.aggfnoid IS NOT NULL THEN concat_ws(' ', a.aggkind, a.aggnumdirectargs, 'sfunc', a.aggtransfn, 'stype', format_type(a.aggtranstype, NULL),
     'initcond', quote_nullable(a.agginitval), 'finalfunc', a.aggfinalfn, a.aggfinalextra, a.aggfinalmodify, 'combinefunc', a.aggcombinefn, 'serialfunc', a.aggserialfn,
     'deserialfunc', a.aggdeserialfn, 'sspace', a.aggtransspace, 'sortop', a.aggsortop::regoperator, 'msfunc', a.aggmtransfn, 'minvfunc', a.aggminvtransfn,
     'mfinalfunc', a.aggmfinalfn, a.aggmfinalextra, a.aggmfinalmodify, 'mstype', a.aggmtranstype::regtype, 'msspace', a.aggmtransspace, 'minitcond', quote_nullable(a.aggminitval)) END,
  'owner', pg_get_userbyid(p.proowner), 'acl', p.proacl::text[],
  'default acl', CASE WHEN p.proacl IS NOT NULL THEN acldefault('f', p.proowner)::text[] END,
  'comment', d.description))::text AS facts
FROM pg_proc p JOIN space s ON s.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
LEFT JOIN said d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass
WHERE p.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
  -- Made by Postgres itself for a range type.
  AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i')

UNION ALL
SELECT 'operator', s.name, '', format('%s(%s, %s)', o.oprname, CASE o.oprleft WHEN 0 THEN 'none' ELSE format_type(o.oprleft, NULL) END,
     CASE o.oprright WHEN 0 THEN 'none' ELSE format_type(o.oprright, NULL) END),
  json_strip_nulls(json_build_object(
  'function', o.oprcode::text, 'commutator', CASE WHEN o.oprcom <> 0 THEN o.oprcom::regoperator::text END,
  'negator', CASE WHEN o.oprnegate <> 0 THEN o.oprnegate::regoperator::text END,
  'restrict', nullif(o.oprrest::text, '-'), 'join', nullif(o.oprjoin::text, '-'),
  'hashes', CASE WHEN o.oprcanhash THEN 'yes' END, 'merges', CASE WHEN o.oprcanmerge THEN 'yes' END,
  'owner', pg_get_userbyid(o.oprowner), 'comment', d.description))::text
FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace
LEFT JOIN said d ON d.objoid = o.oid AND d.classoid = 'pg_operator'::regclass
WHERE o.oprcode <> 0 AND o.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_operator'::regclass)

UNION ALL
SELECT 'operator class', s.name, '', format('%s using %s', o.opcname, m.amname), json_strip_nulls(json_build_object(
  'for', format_type(o.opcintype, NULL), 'default', CASE WHEN o.opcdefault THEN 'yes' END,
  'stored as', CASE WHEN o.opckeytype <> 0 THEN format_type(o.opckeytype, NULL) END,
  'members', (SELECT string_agg(x, ', ' ORDER BY x) FROM (
     SELECT format('%s %s %s', e.amopstrategy, e.amopopr::regoperator, e.amoppurpose) AS x FROM pg_amop e WHERE e.amopfamily = o.opcfamily
     UNION ALL SELECT format('%s %s', e.amprocnum, e.amproc::regprocedure) FROM pg_amproc e WHERE e.amprocfamily = o.opcfamily) members),
  'owner', pg_get_userbyid(o.opcowner)))::text
FROM pg_opclass o JOIN space s ON s.oid = o.opcnamespace JOIN pg_am m ON m.oid = o.opcmethod
WHERE o.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_opclass'::regclass)

UNION ALL
SELECT 'operator family', s.name, '', format('%s using %s', o.opfname, m.amname), json_build_object('owner', pg_get_userbyid(o.opfowner))::text
FROM pg_opfamily o JOIN space s ON s.oid = o.opfnamespace JOIN pg_am m ON m.oid = o.opfmethod
WHERE o.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_opfamily'::regclass)
  -- One made with its class, and of its name, is the class' own.
  AND NOT EXISTS (SELECT FROM pg_opclass c WHERE c.opcfamily = o.oid AND c.opcname = o.opfname)

UNION ALL
SELECT 'cast', '', '', format('%s as %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)), json_strip_nulls(json_build_object(
  'function', CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END,
  'context', CASE c.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment' ELSE 'explicit' END,
  'method', CASE c.castmethod WHEN 'i' THEN 'inout' WHEN 'b' THEN 'binary' ELSE 'function' END, 'comment', d.description))::text
FROM pg_cast c LEFT JOIN said d ON d.objoid = c.oid AND d.classoid = 'pg_cast'::regclass
WHERE c.oid >= 16384 AND c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_cast'::regclass)

UNION ALL
SELECT 'transform', '', '', format('%s for %s', format_type(f.trftype, NULL), l.lanname), json_build_object(
  'functions', concat_ws(' ', f.trffromsql, f.trftosql))::text
FROM pg_transform f JOIN pg_language l ON l.oid = f.trflang
WHERE f.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_transform'::regclass)

UNION ALL
SELECT 'language', '', '', l.lanname::text, json_strip_nulls(json_build_object(
  'trusted', CASE WHEN l.lanpltrusted THEN 'yes' END, 'handler', nullif(l.lanplcallfoid::regproc::text, '-'), 'owner', pg_get_userbyid(l.lanowner),
  'acl', l.lanacl::text[], 'default acl', CASE WHEN l.lanacl IS NOT NULL THEN acldefault('l', l.lanowner)::text[] END))::text
FROM pg_language l
WHERE (l.oid >= 16384 AND l.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_language'::regclass)) OR l.lanacl IS NOT NULL
