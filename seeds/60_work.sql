-- Seeds: what people were told, and the work that is done or waiting.

-- One notification for each good find, read on the next day where the listing has an even number.
INSERT INTO notifications (id, user_id, search_result_id, channel, subject, payload, created_at, read_at)
SELECT row_number() OVER (ORDER BY f.id), s.user_id, f.id, u.preferred_channel, s.name || ': a new find',
       jsonb_build_object('listing', f.listing_id, 'score', f.score), f.found_at,
       CASE WHEN f.listing_id % 2 = 0 THEN f.found_at + interval '24 hours' END
FROM search_results f
JOIN saved_searches s ON s.id = f.search_id
JOIN users u ON u.id = s.user_id
WHERE f.score > 0.65 AND NOT f.is_hidden;
SELECT setval(pg_get_serial_sequence('notifications', 'id'), (SELECT max(id) FROM notifications));

INSERT INTO jobs (id, kind, saved_search_id, payload, status, attempts, run_after, finished_at, error) VALUES
    (1, 'run_search', '5eed0000-0000-4000-8000-0000000000c1', '{}', 'done', 1, '2026-01-05 07:00:00+00', '2026-01-05 07:00:04+00', NULL),
    (2, 'run_search', '5eed0000-0000-4000-8000-0000000000c1', '{}', 'done', 1, '2026-01-05 08:00:00+00', '2026-01-05 08:00:03+00', NULL),
    (3, 'run_search', '5eed0000-0000-4000-8000-0000000000c2', '{}', 'done', 2, '2026-01-05 00:00:00+00', '2026-01-05 00:10:00+00', NULL),
    (4, 'import_prices', NULL, '{"marketplace": "wax_fair"}', 'failed', 3, '2026-01-04 03:00:00+00', '2026-01-04 03:00:30+00', 'the marketplace answered 503'),
    (5, 'run_search', '5eed0000-0000-4000-8000-0000000000c3', '{}', 'queued', 0, '2026-01-05 12:00:00+00', NULL, NULL),
    (6, 'send_digest', NULL, '{"user": "5eed0000-0000-4000-8000-000000000003"}', 'queued', 0, '2026-01-06 06:00:00+00', NULL, NULL);
SELECT setval(pg_get_serial_sequence('jobs', 'id'), (SELECT max(id) FROM jobs));
