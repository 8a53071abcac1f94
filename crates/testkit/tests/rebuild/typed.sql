-- What somebody typed into it.
SELECT setseed(0.5);
INSERT INTO users SELECT gen_random_uuid(), 'u' || n || '@x', CASE WHEN n % 3 > 0 THEN 'nick ' || n END, (20 + n)::text,
  timestamp '2026-03-01' + n * interval '1 hour', CASE WHEN n < 8 THEN 'old ' || n END, E'tab\tback\\slash\nline ' || n
  FROM generate_series(1, 300) n;
UPDATE genres SET name = 'Jazz' WHERE id = 1;
INSERT INTO genres (name) VALUES ('mine');
INSERT INTO customers SELECT n, 'c' || n, 'city', 'street ' || n FROM generate_series(1, 20) n;
INSERT INTO stuff VALUES (1, 'one'), (2, NULL);
INSERT INTO orders (user_id, amount, state, hue, price) SELECT id, 7, 'paid', 'red', 1.2345 FROM users;
INSERT INTO bad VALUES (1, '12'), (2, 'twelve');
INSERT INTO bad_lines VALUES (1, 1), (2, 2), (3, 2);
INSERT INTO codes VALUES (1, 'short'), (2, repeat('x', 50));
INSERT INTO moods VALUES (1, 'calm'), (2, 'odd'), (3, 'odd');
INSERT INTO notes SELECT 1, id FROM users LIMIT 1;
INSERT INTO notes VALUES (2, '00000000-0000-0000-0000-000000000000');
INSERT INTO defaulted VALUES (1), (2);
INSERT INTO demanding VALUES (1), (2);
INSERT INTO nullable VALUES (1, 'x'), (2, NULL);
INSERT INTO old_log VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO events SELECT n, date '2026-01-01' + n, 'e' || n FROM generate_series(0, 99) n;
INSERT INTO rooms VALUES (1, 2, 3, 6), (2, 4, 5, 20);
INSERT INTO tickets (title) SELECT 't' || n FROM generate_series(1, 40) n;
DELETE FROM tickets WHERE id > 30;
INSERT INTO counted VALUES (7), (12);
INSERT INTO twins VALUES (1, 'a'), (2, 'a');
INSERT INTO priced VALUES (1, 5), (2, -5);
INSERT INTO heads VALUES (1, NULL), (2, NULL);
INSERT INTO members VALUES (10, 1), (11, 2);
UPDATE heads SET best = id + 9;
INSERT INTO tree VALUES (1, NULL), (5, 1), (3, 5);
INSERT INTO secret VALUES (1, 'me');
INSERT INTO animals VALUES (1, 'cat');
INSERT INTO dogs VALUES (2, 'rex', 'wuff');
INSERT INTO parted VALUES (1, '2026-05-01'), (2, '2026-06-01');
INSERT INTO kinds SELECT n, '{"a": 1, "a":  2}', '{"b": [1, null]}', '\x00ff0a', ARRAY['a,b', NULL, '"', ''], 12.34, '[1,5)', '1 mon -2 days 03:04:05.006',
  CASE n WHEN 1 THEN 'NaN'::float8 WHEN 2 THEN '-Infinity' ELSE 0.1 + 0.2 END, 123456789012345678901234567890.123456789,
  '2026-03-29 01:30:00.123456+00', '<a>é</a>', B'10101', 'ab', '08:00:2b:01:02:03', '10.1.2.3/8', '(1.5,2.5)' FROM generate_series(1, 3) n;
INSERT INTO "od;d"."we""ird % née" VALUES (E'\\.', 1), (E'\\N', NULL), ('', 3);
INSERT INTO swapped VALUES (1, 1), (2, 2);
SELECT setval('free_number', 4711);
ALTER SEQUENCE orders_id_seq RESTART WITH 5000;
SELECT lo_from_bytea(4711, 'a drawing');
