-- Seeds: what is for sale, by whom, and what it cost before.

INSERT INTO currencies (code, name, euro_rate) VALUES
    ('EUR', 'Euro', 1), ('GBP', 'Pound sterling', 1.150000), ('JPY', 'Yen', 0.006100), ('USD', 'US dollar', 0.920000);

INSERT INTO sellers (id, marketplace, name, country, rating, feedback_count, ships_to, first_seen_at) VALUES
    ('5eed0000-0000-4000-8000-0000000000a1', 'counter', 'The shop itself', 'GB', NULL, 0, ARRAY['GB', 'IE'], '2025-11-01 09:00:00+00'),
    ('5eed0000-0000-4000-8000-0000000000a2', 'crate_exchange', 'spindle_and_sons', 'GB', 99.2, 4120, ARRAY['GB', 'DE', 'FR', 'US'], '2025-11-04 10:00:00+00'),
    ('5eed0000-0000-4000-8000-0000000000a3', 'crate_exchange', 'plattenkeller', 'DE', 97.5, 311, ARRAY['DE', 'FR'], '2025-11-05 10:00:00+00'),
    ('5eed0000-0000-4000-8000-0000000000a4', 'wax_fair', 'plattenkeller', 'DE', NULL, 2, '{}', '2025-12-05 10:00:00+00'),
    ('5eed0000-0000-4000-8000-0000000000a5', 'wax_fair', 'Shōwa Records', 'JP', 100.0, 987, ARRAY['JP', 'US', 'GB'], '2025-11-20 10:00:00+00');

-- Forty listings: sellers, releases, gradings and prices go round at their own pace.
INSERT INTO listings (id, seller_id, release_id, external_ref, record_condition, sleeve_condition, price, shipping, currency, status, notes, listed_at)
SELECT n,
       ('5eed0000-0000-4000-8000-0000000000a' || 1 + n % 5)::uuid,
       1000 + (n * 7) % 16,
       'ref-' || lpad(n::text, 4, '0'),
       (enum_range(NULL::record_condition))[3 + n % 6],
       (enum_range(NULL::sleeve_condition))[1 + n % 10],
       round(6.50 + (n * 13) % 90 + (n % 4) * 0.25, 2),
       (n % 3) * 4.50,
       (ARRAY['EUR', 'GBP', 'EUR', 'USD'])[1 + n % 4],
       (CASE WHEN n % 11 = 0 THEN 'sold' WHEN n % 17 = 0 THEN 'reserved' WHEN n = 39 THEN 'withdrawn' ELSE 'active' END)::listing_status,
       CASE WHEN n % 6 = 0 THEN 'light ring wear; plays without skips' END,
       timestamptz '2025-12-01 08:00:00+00' + n * interval '17 hours'
FROM generate_series(1, 40) n;
SELECT setval(pg_get_serial_sequence('listings', 'id'), (SELECT max(id) FROM listings));

INSERT INTO listing_images (id, listing_id, position, url)
SELECT row_number() OVER (ORDER BY l.id, side), l.id, side, 'https://images.shop.example/' || l.external_ref || '-' || side || '.jpg'
FROM listings l, generate_series(1, 2) side
WHERE side = 1 OR l.id % 2 = 0;
SELECT setval(pg_get_serial_sequence('listing_images', 'id'), (SELECT max(id) FROM listing_images));

-- Prices only ever came down: three sightings of each listing, the last one as it is now.
-- Hours instead of days, since a day's length depends on the session's time zone.
INSERT INTO price_history (id, listing_id, price, seen_at) OVERRIDING SYSTEM VALUE
SELECT row_number() OVER (ORDER BY l.id, week), l.id, l.price + (2 - week) * 1.50, l.listed_at + week * interval '168 hours'
FROM listings l, generate_series(0, 2) week;
SELECT setval(pg_get_serial_sequence('price_history', 'id'), (SELECT max(id) FROM price_history));
