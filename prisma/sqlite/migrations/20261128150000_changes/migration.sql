-- CreateTable
CREATE TABLE "Change" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "tx" BIGINT NOT NULL DEFAULT 0,
    "subject" TEXT NOT NULL,
    "subjectId" INTEGER NOT NULL,
    "deviceId" INTEGER,
    "kind" TEXT NOT NULL,
    "at" DATETIME NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
);

-- CreateTable
CREATE TABLE "ChangeFeed" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "uuid" TEXT NOT NULL,
    "prunedId" BIGINT NOT NULL DEFAULT 0,
    "prunedTx" BIGINT NOT NULL DEFAULT 0
);

-- Each database has a feed of its own.
INSERT INTO "ChangeFeed" ("id", "uuid") VALUES (1, lower(hex(randomblob(16))));

-- Columns that clients can see. Leases, attempts and times of use are not told.
CREATE TRIGGER "Coredump_change_arrived" AFTER INSERT ON "Coredump" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Coredump', new."id", new."deviceId", 'ARRIVED');
END;
CREATE TRIGGER "Coredump_change_changed" AFTER UPDATE OF
    "deviceId", "firmwareId", "filename", "chip", "firmwareVersion", "size", "sha256", "uploadedAt",
    "parseStatus", "parseGeneration", "parseErrorKind", "appElfSha256", "fingerprint", "parsedAt",
    "chosenFirmwareId", "kind", "crashKind", "crashedTask", "reason" ON "Coredump"
    WHEN old."deviceId" IS NOT new."deviceId" OR old."firmwareId" IS NOT new."firmwareId" OR
    old."filename" IS NOT new."filename" OR old."chip" IS NOT new."chip" OR
    old."firmwareVersion" IS NOT new."firmwareVersion" OR old."size" IS NOT new."size" OR
    old."sha256" IS NOT new."sha256" OR old."uploadedAt" IS NOT new."uploadedAt" OR
    old."parseStatus" IS NOT new."parseStatus" OR old."parseGeneration" IS NOT new."parseGeneration" OR
    old."parseErrorKind" IS NOT new."parseErrorKind" OR old."appElfSha256" IS NOT new."appElfSha256" OR
    old."fingerprint" IS NOT new."fingerprint" OR old."parsedAt" IS NOT new."parsedAt" OR
    old."chosenFirmwareId" IS NOT new."chosenFirmwareId" OR
    old."kind" IS NOT new."kind" OR
    old."crashKind" IS NOT new."crashKind" OR
    old."crashedTask" IS NOT new."crashedTask" OR
    old."reason" IS NOT new."reason" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Coredump', new."id", new."deviceId", 'CHANGED');
END;
CREATE TRIGGER "Coredump_change_deleted" AFTER DELETE ON "Coredump" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Coredump', old."id", old."deviceId", 'DELETED');
END;

CREATE TRIGGER "CrashGroup_change_arrived" AFTER INSERT ON "CrashGroup" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('CrashGroup', new."id", NULL, 'ARRIVED');
END;
CREATE TRIGGER "CrashGroup_change_changed" AFTER UPDATE OF
    "title", "kind", "reasonClass", "reason", "culpritFunction", "culpritFile", "state", "resolvedAt",
    "resolvedInVersion", "regressedAt", "regressedInVersion", "assignee", "note", "count", "deviceCount",
    "firstSeenAt", "lastSeenAt", "heat",
    "movedToId" ON "CrashGroup"
    WHEN old."title" IS NOT new."title" OR old."kind" IS NOT new."kind" OR
    old."reasonClass" IS NOT new."reasonClass" OR old."reason" IS NOT new."reason" OR
    old."culpritFunction" IS NOT new."culpritFunction" OR old."culpritFile" IS NOT new."culpritFile" OR
    old."state" IS NOT new."state" OR old."resolvedAt" IS NOT new."resolvedAt" OR
    old."resolvedInVersion" IS NOT new."resolvedInVersion" OR old."regressedAt" IS NOT new."regressedAt" OR
    old."regressedInVersion" IS NOT new."regressedInVersion" OR old."assignee" IS NOT new."assignee" OR
    old."note" IS NOT new."note" OR old."count" IS NOT new."count" OR
    old."deviceCount" IS NOT new."deviceCount" OR old."firstSeenAt" IS NOT new."firstSeenAt" OR
    old."lastSeenAt" IS NOT new."lastSeenAt" OR old."heat" IS NOT new."heat" OR
    old."movedToId" IS NOT new."movedToId" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('CrashGroup', new."id", NULL, 'CHANGED');
END;
CREATE TRIGGER "CrashGroup_change_deleted" AFTER DELETE ON "CrashGroup" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('CrashGroup', old."id", NULL, 'DELETED');
END;

CREATE TRIGGER "Device_change_arrived" AFTER INSERT ON "Device" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Device', new."id", new."id", 'ARRIVED');
END;
CREATE TRIGGER "Device_change_changed" AFTER UPDATE OF
    "key", "name", "modelId", "tokenSha256", "previousTokenSha256", "previousTokenUntil" ON "Device"
    WHEN old."key" IS NOT new."key" OR old."name" IS NOT new."name" OR old."modelId" IS NOT new."modelId" OR
    old."tokenSha256" IS NOT new."tokenSha256" OR old."previousTokenSha256" IS NOT new."previousTokenSha256" OR
    old."previousTokenUntil" IS NOT new."previousTokenUntil" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Device', new."id", new."id", 'CHANGED');
END;
CREATE TRIGGER "Device_change_deleted" AFTER DELETE ON "Device" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Device', old."id", old."id", 'DELETED');
END;

CREATE TRIGGER "Firmware_change_arrived" AFTER INSERT ON "Firmware" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Firmware', new."id", NULL, 'ARRIVED');
END;
CREATE TRIGGER "Firmware_change_changed" AFTER UPDATE OF
    "modelId", "version", "chip", "elfSha256", "size", "uploadedAt" ON "Firmware"
    WHEN old."modelId" IS NOT new."modelId" OR old."version" IS NOT new."version" OR old."chip" IS NOT new."chip" OR
    old."elfSha256" IS NOT new."elfSha256" OR old."size" IS NOT new."size" OR
    old."uploadedAt" IS NOT new."uploadedAt" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Firmware', new."id", NULL, 'CHANGED');
END;
CREATE TRIGGER "Firmware_change_deleted" AFTER DELETE ON "Firmware" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Firmware', old."id", NULL, 'DELETED');
END;

CREATE TRIGGER "DeviceModel_change_arrived" AFTER INSERT ON "DeviceModel" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('DeviceModel', new."id", NULL, 'ARRIVED');
END;
CREATE TRIGGER "DeviceModel_change_changed" AFTER UPDATE OF
    "code", "name", "createdAt" ON "DeviceModel"
    WHEN old."code" IS NOT new."code" OR old."name" IS NOT new."name" OR old."createdAt" IS NOT new."createdAt" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('DeviceModel', new."id", NULL, 'CHANGED');
END;
CREATE TRIGGER "DeviceModel_change_deleted" AFTER DELETE ON "DeviceModel" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('DeviceModel', old."id", NULL, 'DELETED');
END;

-- Rows that belong to one of these: its fields show them. A row that goes with its parent finds no parent any more.
CREATE TRIGGER "RemovedRaw_change_noted" AFTER INSERT ON "RemovedRaw" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Coredump', "id", "deviceId", 'CHANGED' FROM "Coredump" WHERE "id" = new."coredumpId";
END;
CREATE TRIGGER "RemovedRaw_change_altered" AFTER UPDATE ON "RemovedRaw" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Coredump', "id", "deviceId", 'CHANGED' FROM "Coredump" WHERE "id" = new."coredumpId";
END;
CREATE TRIGGER "RemovedRaw_change_forgotten" AFTER DELETE ON "RemovedRaw" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Coredump', "id", "deviceId", 'CHANGED' FROM "Coredump" WHERE "id" = old."coredumpId";
END;
CREATE TRIGGER "LostRaw_change_noted" AFTER INSERT ON "LostRaw" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Coredump', "id", "deviceId", 'CHANGED' FROM "Coredump" WHERE "id" = new."coredumpId";
END;
CREATE TRIGGER "LostRaw_change_altered" AFTER UPDATE ON "LostRaw" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Coredump', "id", "deviceId", 'CHANGED' FROM "Coredump" WHERE "id" = new."coredumpId";
END;
CREATE TRIGGER "LostRaw_change_forgotten" AFTER DELETE ON "LostRaw" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Coredump', "id", "deviceId", 'CHANGED' FROM "Coredump" WHERE "id" = old."coredumpId";
END;
CREATE TRIGGER "LostElf_change_noted" AFTER INSERT ON "LostElf" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Firmware', "id", NULL, 'CHANGED' FROM "Firmware" WHERE "id" = new."firmwareId";
END;
CREATE TRIGGER "LostElf_change_altered" AFTER UPDATE ON "LostElf" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Firmware', "id", NULL, 'CHANGED' FROM "Firmware" WHERE "id" = new."firmwareId";
END;
CREATE TRIGGER "LostElf_change_forgotten" AFTER DELETE ON "LostElf" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'Firmware', "id", NULL, 'CHANGED' FROM "Firmware" WHERE "id" = old."firmwareId";
END;
CREATE TRIGGER "ModelPrivacy_change_noted" AFTER INSERT ON "ModelPrivacy" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'DeviceModel', "id", NULL, 'CHANGED' FROM "DeviceModel" WHERE "id" = new."modelId";
END;
CREATE TRIGGER "ModelPrivacy_change_altered" AFTER UPDATE ON "ModelPrivacy" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'DeviceModel', "id", NULL, 'CHANGED' FROM "DeviceModel" WHERE "id" = new."modelId";
END;
CREATE TRIGGER "ModelPrivacy_change_forgotten" AFTER DELETE ON "ModelPrivacy" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind")
        SELECT 'DeviceModel', "id", NULL, 'CHANGED' FROM "DeviceModel" WHERE "id" = old."modelId";
END;
