-- CreateTable
CREATE TABLE "CrashDay" (
    "slot" INTEGER NOT NULL,
    "modelId" INTEGER NOT NULL,
    "deviceId" INTEGER NOT NULL,

    PRIMARY KEY ("slot", "modelId", "deviceId")
);

-- What is known of earlier days: the dumps that are still stored.
INSERT INTO "CrashDay" ("slot", "modelId", "deviceId")
    SELECT DISTINCT c."uploadedAt" / 86400000, o."modelId", c."deviceId"
    FROM "CrashOccurrence" o JOIN "Coredump" c ON c."id" = o."coredumpId";
