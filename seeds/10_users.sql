-- Seeds: five people, one of them gone, with their tokens and the shop's settings.
--
-- Every time and every id in the seeds is written out, so that two fresh databases are the same.
-- The tokens are invented and open nothing.

INSERT INTO users (id, email, display_name, password_hash, locale, country, preferred_channel, settings, is_active, last_ip, last_seen_at, created_at, updated_at) VALUES
    ('5eed0000-0000-4000-8000-000000000001', 'ada@shop.example', 'Ada', 'seed$sleeve-notes', 'en', 'GB', 'email', '{"theme": "dark", "per_page": 50}', true, '192.0.2.11', '2026-01-05 08:30:00+00', '2025-11-01 09:00:00+00', '2026-01-05 08:30:00+00'),
    ('5eed0000-0000-4000-8000-000000000002', 'Benedikt@shop.example', 'Benedikt', 'seed$sleeve-notes', 'de', 'DE', 'push', '{"theme": "light", "per_page": 25}', true, '192.0.2.12', '2026-01-04 21:10:00+00', '2025-11-03 18:20:00+00', '2026-01-04 21:10:00+00'),
    ('5eed0000-0000-4000-8000-000000000003', 'chiyo@shop.example', 'Chiyo', 'seed$sleeve-notes', 'ja', 'JP', 'in_app', '{"theme": "dark", "per_page": 100}', true, '2001:db8::3', '2026-01-03 02:45:00+00', '2025-11-12 11:05:00+00', '2026-01-03 02:45:00+00'),
    ('5eed0000-0000-4000-8000-000000000004', 'dolores@shop.example', 'Dolores "Lola"', 'seed$sleeve-notes', 'es', 'MX', 'email', '{}', true, NULL, NULL, '2025-12-20 16:00:00+00', '2025-12-20 16:00:00+00'),
    ('5eed0000-0000-4000-8000-000000000005', 'emeric@shop.example', 'Émeric', 'seed$sleeve-notes', 'fr', 'FR', 'email', '{"theme": "light"}', false, NULL, '2025-11-30 10:00:00+00', '2025-11-15 07:30:00+00', '2025-12-01 00:00:00+00');

INSERT INTO oauth_tokens (id, user_id, marketplace, access_token, refresh_digest, scopes, expires_at, created_at) VALUES
    (1, '5eed0000-0000-4000-8000-000000000001', 'crate_exchange', 'seed-token-1', '\x00ff10', ARRAY['read', 'write'], '2027-01-01 00:00:00+00', '2025-11-01 09:05:00+00'),
    (2, '5eed0000-0000-4000-8000-000000000001', 'wax_fair', 'seed-token-2', NULL, ARRAY['read'], NULL, '2025-11-02 19:40:00+00'),
    (3, '5eed0000-0000-4000-8000-000000000002', 'crate_exchange', 'seed-token-3', '\x00ff30', ARRAY['read'], '2027-01-01 00:00:00+00', '2025-11-03 18:30:00+00'),
    (4, '5eed0000-0000-4000-8000-000000000003', 'wax_fair', 'seed-token-4', NULL, '{}', '2026-06-30 12:00:00+00', '2025-11-12 11:10:00+00');
SELECT setval(pg_get_serial_sequence('oauth_tokens', 'id'), (SELECT max(id) FROM oauth_tokens));

INSERT INTO app_settings (key, value, description, updated_by, updated_at) VALUES
    ('market.poll_minutes', '15', 'How often each marketplace is asked', '5eed0000-0000-4000-8000-000000000001', '2025-11-01 09:00:00+00'),
    ('market.enabled', '["counter", "crate_exchange"]', 'Marketplaces that are searched', '5eed0000-0000-4000-8000-000000000001', '2025-12-01 09:00:00+00'),
    ('shop.name', '"The Record Shop"', 'Shown in the header', NULL, '2025-11-01 09:00:00+00'),
    ('shop.sale', '{"from": "2026-01-10", "until": "2026-01-17", "percent": 20}', '', NULL, '2026-01-02 12:00:00+00');
