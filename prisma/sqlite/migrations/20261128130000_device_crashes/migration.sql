-- Added in place: redefining the tables would write every row anew.
ALTER TABLE "Device" ADD COLUMN "crashCount" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "Device" ADD COLUMN "lastCrashAt" DATETIME;
ALTER TABLE "DeviceModel" ADD COLUMN "updatedAt" DATETIME;
ALTER TABLE "AlertRule" ADD COLUMN "updatedAt" DATETIME;

UPDATE "DeviceModel" SET "updatedAt" = "createdAt";
UPDATE "AlertRule" SET "updatedAt" = "createdAt";

-- What was counted before, and the dumps that wait for their first parse.
UPDATE "Device" SET "crashCount" = n."count" FROM (
    SELECT "deviceId", sum("count") AS "count" FROM (
        SELECT "deviceId", "count" FROM "VersionDevice"
        UNION ALL
        SELECT c."deviceId", 1 FROM "Coredump" c
        WHERE NOT EXISTS (SELECT 1 FROM "CrashOccurrence" o WHERE o."coredumpId" = c."id")
    ) counted GROUP BY "deviceId"
) n WHERE n."deviceId" = "Device"."id";

-- Of the newest dump; the last upload where all dumps were deleted.
UPDATE "Device" SET "lastCrashAt" = "lastUploadAt" WHERE "crashCount" > 0;
UPDATE "Device" SET "lastCrashAt" = c."uploadedAt" FROM "Coredump" c
    WHERE c."id" = (SELECT max(l."id") FROM "Coredump" l WHERE l."deviceId" = "Device"."id");
