-- Seeds: the catalogue. All artists, labels and titles are invented.

INSERT INTO artists (id, name, sort_name, country, profile, created_at) VALUES
    (1, 'The Tin Orchard', 'Tin Orchard, The', 'GB', 'Brass band turned dub outfit.', '2025-11-01 09:00:00+00'),
    (2, 'Marit Fjellvang', 'Fjellvang, Marit', 'NO', NULL, '2025-11-01 09:00:00+00'),
    (3, 'Los Caminantes del Sur', 'Caminantes del Sur, Los', 'MX', NULL, '2025-11-01 09:00:00+00'),
    (4, 'Kōji Amano Quartet', 'Amano, Kōji', 'JP', 'Four records in three years, then silence.', '2025-11-01 09:00:00+00'),
    (5, 'Glass Ferry', 'Glass Ferry', 'US', NULL, '2025-11-01 09:00:00+00'),
    (6, 'D''Arcy & the Lamplighters', 'D''Arcy & the Lamplighters', 'IE', NULL, '2025-11-01 09:00:00+00'),
    (7, 'Ostkreuz Ensemble', 'Ostkreuz Ensemble', 'DE', NULL, '2025-11-01 09:00:00+00'),
    (8, 'Mama Odeta', 'Odeta, Mama', 'GH', NULL, '2025-11-01 09:00:00+00');
SELECT setval(pg_get_serial_sequence('artists', 'id'), (SELECT max(id) FROM artists));

INSERT INTO labels (id, name, parent_id, founded_year) VALUES
    (1, 'Harbour Wall', NULL, 1961),
    (2, 'Harbour Wall Dub Plates', 1, 1974),
    (3, 'Polarlys', NULL, 1968),
    (4, 'Discos Nopal', NULL, 1957),
    (5, 'Ginza Tone', NULL, 1970),
    (6, 'Kreuzweg', NULL, NULL);
SELECT setval(pg_get_serial_sequence('labels', 'id'), (SELECT max(id) FROM labels));

INSERT INTO genres (id, name, slug) VALUES
    (1, 'Jazz', 'jazz'), (2, 'Dub', 'dub'), (3, 'Folk', 'folk'), (4, 'Cumbia', 'cumbia'),
    (5, 'Soul & Funk', 'soul-funk'), (6, 'Kraut', 'kraut'), (7, 'Highlife', 'highlife'), (8, 'Ambient', 'ambient');
SELECT setval(pg_get_serial_sequence('genres', 'id'), (SELECT max(id) FROM genres));

INSERT INTO releases (id, artist_id, label_id, title, catalog_number, format, disc_count, released_year, country, identifiers, created_at) VALUES
    (1000, 1, 1, 'Low Water, High Street', 'HW 101', 'LP', 1, 1971, 'GB', '{"barcode": "5000000000017"}', '2025-11-01 09:00:00+00'),
    (1001, 1, 2, 'Orchard Version', 'HWD 7', '7"', 1, 1975, 'GB', '{}', '2025-11-01 09:00:00+00'),
    (1002, 1, 2, 'Orchard Version (Long)', 'HWD 12', '12"', 1, 1976, 'GB', '{"matrix": ["HWD-12-A1", "HWD-12-B2"]}', '2025-11-01 09:00:00+00'),
    (1003, 2, 3, 'Vinterlys', 'POL-33', 'LP', 1, 1973, 'NO', '{}', '2025-11-01 09:00:00+00'),
    (1004, 2, 3, 'Songs for a Ferry', 'POL-41', 'LP', 2, 1977, 'NO', '{"barcode": "7000000000041"}', '2025-11-01 09:00:00+00'),
    (1005, 3, 4, 'Cumbia de la Lluvia', 'N-220', '7"', 1, 1966, 'MX', '{}', '2025-11-01 09:00:00+00'),
    (1006, 3, 4, 'Noches de Nopal', 'N-1003', 'LP', 1, 1969, 'MX', '{}', '2025-11-01 09:00:00+00'),
    (1007, 4, 5, 'Blue Platform', 'GT-5001', 'LP', 1, 1970, 'JP', '{"obi": true}', '2025-11-01 09:00:00+00'),
    (1008, 4, 5, 'Third Exit', 'GT-5009', 'LP', 1, 1971, 'JP', '{"obi": true}', '2025-11-01 09:00:00+00'),
    (1009, 4, 5, 'The Ginza Sessions', 'GT-6000', 'box set', 4, 1979, 'JP', '{"obi": false, "numbered": 500}', '2025-11-01 09:00:00+00'),
    (1010, 5, NULL, 'Demo', NULL, 'EP', 1, 1984, 'US', '{}', '2025-11-01 09:00:00+00'),
    (1011, 5, NULL, 'Demo', NULL, '10"', 1, NULL, NULL, '{}', '2025-11-01 09:00:00+00'),
    (1012, 6, 1, 'Lamps', 'HW 140', 'LP', 1, 1980, 'IE', '{}', '2025-11-01 09:00:00+00'),
    (1013, 7, 6, 'Ringbahn', 'KW 1', 'LP', 1, 1972, 'DE', '{}', '2025-11-01 09:00:00+00'),
    (1014, 7, 6, 'Weichenstellung', 'KW 4', 'LP', 2, 1974, 'DE', '{"barcode": "4000000000044"}', '2025-11-01 09:00:00+00'),
    (1015, 8, NULL, 'Market Day', NULL, 'LP', 1, 1978, 'GH', '{}', '2025-11-01 09:00:00+00');
SELECT setval(pg_get_serial_sequence('releases', 'id'), (SELECT max(id) FROM releases));

-- Two tracks a side, their lengths from a small sum instead of chance.
INSERT INTO release_tracks (release_id, position, title, duration)
SELECT r.id, side || number, r.title || ', part ' || row_number() OVER (PARTITION BY r.id ORDER BY side, number),
       make_interval(secs => 150 + (r.id * 37 + ascii(side) * 11 + number * 53) % 240)
FROM releases r, unnest(ARRAY['A', 'B']) side, generate_series(1, 2) number
WHERE r.format <> '7"' OR number = 1;

INSERT INTO release_genres (release_id, genre_id, is_primary) VALUES
    (1000, 5, true), (1000, 2, false), (1001, 2, true), (1002, 2, true), (1003, 3, true), (1004, 3, true), (1004, 8, false),
    (1005, 4, true), (1006, 4, true), (1007, 1, true), (1008, 1, true), (1009, 1, true), (1010, 8, true), (1011, 8, true),
    (1012, 5, true), (1012, 3, false), (1013, 6, true), (1014, 6, true), (1014, 8, false), (1015, 7, true);
