-- Seeds: what people look for, and what was found.

INSERT INTO saved_searches (id, user_id, name, query, formats, min_record_condition, min_sleeve_condition, seller_location, max_price, currency, check_interval, filters, is_active, last_run_at, created_at) VALUES
    ('5eed0000-0000-4000-8000-0000000000c1', '5eed0000-0000-4000-8000-000000000001', 'Dub singles', 'orchard version', ARRAY['7"', '12"']::record_format[], 'VG', NULL, 'same_country', 40.00, 'GBP', '01:00:00', '{"genres": ["dub"]}', true, '2026-01-05 08:00:00+00', '2025-11-02 10:00:00+00'),
    ('5eed0000-0000-4000-8000-0000000000c2', '5eed0000-0000-4000-8000-000000000001', 'Japanese pressings', 'amano', ARRAY['LP', 'box set']::record_format[], 'NM', 'VG+', 'anywhere', NULL, 'EUR', '1 day', '{"identifiers": {"obi": true}}', true, '2026-01-05 00:00:00+00', '2025-11-20 10:00:00+00'),
    ('5eed0000-0000-4000-8000-0000000000c3', '5eed0000-0000-4000-8000-000000000002', 'Kraut', 'ringbahn OR weichenstellung', ARRAY['LP']::record_format[], 'VG+', 'VG', 'same_continent', 75.50, 'EUR', '06:00:00', '{}', true, NULL, '2025-12-01 19:00:00+00'),
    ('5eed0000-0000-4000-8000-0000000000c4', '5eed0000-0000-4000-8000-000000000003', 'Anything folk', '', '{}', 'G', 'generic', 'anywhere', 25.00, 'USD', '3 days', '{"genres": ["folk"], "years": {"to": 1979}}', true, '2026-01-03 02:00:00+00', '2025-12-12 11:00:00+00'),
    ('5eed0000-0000-4000-8000-0000000000c5', '5eed0000-0000-4000-8000-000000000005', 'Old search', 'lamps', ARRAY['LP']::record_format[], 'VG', NULL, 'same_city', 10.00, 'EUR', '06:00:00', '{}', false, '2025-11-30 06:00:00+00', '2025-11-16 10:00:00+00');

-- Each search found the listings whose turn it was; the score falls with the listing's number.
INSERT INTO search_results (id, search_id, listing_id, score, is_hidden, found_at)
SELECT row_number() OVER (ORDER BY l.id, s.id), s.id, l.id, (100 - l.id) / 128.0, l.id % 9 = 0, l.listed_at + interval '1 hour'
FROM saved_searches s
JOIN listings l ON l.id % 5 + 1 IN (right(s.id::text, 1)::int, right(s.id::text, 1)::int % 5 + 1)
WHERE s.last_run_at IS NOT NULL;
SELECT setval(pg_get_serial_sequence('search_results', 'id'), (SELECT max(id) FROM search_results));
